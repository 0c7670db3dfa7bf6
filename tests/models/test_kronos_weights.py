"""Weights that `kronos` cannot use, and what it cannot do: one line each; where the weights are found."""

import json

import numpy as np
import pytest

from marketsim.errors import MissingExtra, UsageError
from marketsim.models import kronos
from marketsim.models.kronos import Kronos
from marketsim.models.options import Options
from tests.candles import random_ohlcv

torch = pytest.importorskip("torch")
vendor = pytest.importorskip("kronos_finance._vendor.kronos_model", reason="needs the extra 'kronos'")

from tests.models.test_kronos import L, S, make, stamps  # noqa: E402
from tests.models.tiny_kronos import TOKENIZER, build  # noqa: E402


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("kronos")
    build(path)
    return path


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"context": 512}, "kronos:small reads 2 to 511 bars, not 512"),
        ({"context": 1}, "kronos:small reads 2 to 511 bars, not 1"),
        ({"representation": "moves"}, "reads prices"),
        ({"trim": 0.2}, "--trim: model 'kronos' does not use it"),
    ],
)
def test_what_it_cannot_do_is_a_usage_error(folder, options, words):
    with pytest.raises(UsageError, match=words):
        make(folder, **options)


def test_without_the_package_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setattr(kronos.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match="kronos"):
        make(folder)


def test_folder_without_its_parts_is_told_which(folder, tmp_path):
    with pytest.raises(UsageError, match=r"'model' .*Kronos-small.* 'tokenizer' .*Kronos-Tokenizer-base"):
        make(folder / "model")


def spoil(folder, what):
    weights, config = folder / "model" / "model.safetensors", folder / "model" / "config.json"
    if what == "truncated":
        weights.write_bytes(weights.read_bytes()[:1000])
    elif what == "pickled":
        weights.rename(folder / "model" / "pytorch_model.bin")
        (folder / "model" / "other.safetensors").write_bytes(b"")
    elif what == "smaller":
        config.write_text(json.dumps(json.loads(config.read_text()) | {"d_model": 16}))
    elif what == "deeper":
        config.write_text(json.dumps(json.loads(config.read_text()) | {"n_layers": 3}))
    elif what == "incomplete":
        config.write_text("{}")


@pytest.mark.parametrize("what", ["truncated", "pickled", "smaller", "deeper", "incomplete"])
def test_folder_that_holds_something_else_is_one_line(tmp_path, what):
    build(tmp_path)
    spoil(tmp_path, what)
    with pytest.raises(UsageError, match=r"^\S+model does not hold a Kronos: .+") as caught:
        make(tmp_path).forecast(random_ohlcv(L)[None], stamps("2020-01-01", L + 1)[None])
    assert "\n" not in str(caught.value)


def test_tokenizer_of_another_model_is_refused(tmp_path):
    build(tmp_path)
    other = TOKENIZER | {"s1_bits": 8, "s2_bits": 8}
    vendor.KronosTokenizer(**other).save_pretrained(tmp_path / "tokenizer")
    with pytest.raises(UsageError, match="is not the tokenizer of"):
        make(tmp_path).forecast(random_ohlcv(L)[None], stamps("2020-01-01", L + 1)[None])


@pytest.mark.parametrize("own", [None, "someone/tuned"])
def test_weights_come_from_the_hubs_cache_with_the_tokenizer_of_the_variant(tmp_path, monkeypatch, folder, own):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for repository, part in ((own or "NeoQuasar/Kronos-mini", "model"), ("NeoQuasar/Kronos-Tokenizer-2k", "tokenizer")):
        with pytest.raises(UsageError, match=repository):
            Kronos("mini", Options(weights=own, context=L))
        place = tmp_path / f"models--{repository.replace('/', '--')}"
        (place / "refs").mkdir(parents=True)
        (place / "refs" / "main").write_text("c0ffee")
        (place / "snapshots").mkdir()
        (place / "snapshots" / "c0ffee").symlink_to(folder / part)
    model = Kronos("mini", Options(weights=own, context=L, samples=S, device="cpu"))
    assert model.trained_until == ("unknown" if own else "2024-05-31")
    assert model.parameters["tokenizer"] == "NeoQuasar/Kronos-Tokenizer-2k@c0ffee"
    bars, when = random_ohlcv(L)[None], stamps("2020-01-01", L + 1)[None]
    assert np.isfinite(model.forecast(bars, when)).all()
    assert Kronos("mini", Options(weights=own, context=2047)).context == 2047
