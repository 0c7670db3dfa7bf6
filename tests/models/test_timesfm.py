"""TimesFM 2.5 on a tiny checkpoint of its own architecture, against the vendor's forward pass and its traps."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.keys import fingerprint
from marketsim.models.options import Options
from marketsim.models.scaling import to_percent
from marketsim.models.timesfm import Timesfm
from tests.candles import random_ohlcv

if not Timesfm.installed():
    pytest.skip("the extra 'timesfm' is not installed", allow_module_level=True)

import torch

from tests.models import tiny_timesfm

CONTEXTS = np.stack([random_ohlcv(300, seed=seed)[-160:] for seed in range(3)])
TIMES = np.tile(np.datetime64("2020-01-01", "s") + np.arange(161) * np.timedelta64(1, "D"), (3, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("timesfm")
    tiny_timesfm.build(place)
    return place


def timesfm(folder: Path, **options: object) -> Timesfm:
    return Timesfm("2.5", Options(weights=str(folder), **({"device": "cpu"} | options)))


def forecast(model: Timesfm, contexts: np.ndarray = CONTEXTS) -> np.ndarray:
    return model.forecast(contexts, TIMES[: len(contexts), -contexts.shape[1] - 1 :])


def vendor(folder: Path, contexts: np.ndarray, **options: object) -> torch.Tensor:
    """The vendor's predictions of the next value, mean first, `[N * 4, 10]`."""
    from transformers import TimesFm2_5ModelForPrediction

    model = TimesFm2_5ModelForPrediction.from_pretrained(folder).eval()
    series = torch.from_numpy(to_percent(contexts, "moves")).flatten(0, 1)
    with torch.no_grad():
        return model(past_values=list(series), forecast_context_len=series.shape[-1], **options).full_predictions[:, 0]


def test_quantiles_are_the_vendors_nine_sorted_without_the_mean(folder):
    theirs = vendor(folder, CONTEXTS, truncate_negative=False, force_flip_invariance=False).double().numpy()
    found = forecast(timesfm(folder))
    expected = np.sort(theirs[:, 1:], -1).reshape(3, 4, 9)
    np.testing.assert_allclose(found, np.expm1(expected / 100), atol=1e-6)
    assert (np.diff(theirs[:, 1:]) < 0).any()  # unsorted, as they come
    assert not np.isclose(np.expm1(theirs[:, 0] / 100), found.reshape(12, 9).T).any()


def test_what_the_vendor_does_by_itself_would_be_something_else(folder):
    moves = np.random.default_rng(0).uniform(0, 0.02, (3, 160, 1))
    rising = np.concatenate([100 * np.cumprod(1 + moves, 1).repeat(4, -1), np.ones_like(moves)], -1)
    ours = forecast(timesfm(folder), rising)
    clipped = vendor(folder, rising).double().numpy()[:, 1:]
    assert (ours < 0).any()
    assert (clipped >= 0).all()


def test_a_context_is_cut_to_whole_patches(folder):
    model = timesfm(folder, representation="prices")
    whole = forecast(model, CONTEXTS[:, -128:])
    np.testing.assert_array_equal(forecast(model, CONTEXTS[:, -150:]), whole)
    assert (forecast(model) != whole).any((1, 2)).all()


def test_the_fingerprint_holds_what_forecasts_depend_on_and_no_more(folder, tmp_path):
    tiny_timesfm.build(tmp_path, num_hidden_layers=1)
    changes = ({}, {"context": 64}, {"representation": "prices"}, {"dtype": "bfloat16"})
    prints = {fingerprint(timesfm(folder, **changed)) for changed in changes} | {fingerprint(timesfm(tmp_path))}
    assert len(prints) == 5
    assert fingerprint(timesfm(folder, seed=7, compile=True, device="auto")) in prints


@pytest.mark.parametrize("context", [0, 31, 33, 16_416])
def test_contexts_that_it_cannot_read_are_refused(folder, context):
    with pytest.raises(UsageError, match="multiples of 32 bars up to 16384, such as 512"):
        timesfm(folder, context=context)


def test_weights_that_are_others_or_not_whole_are_one_line(folder, tmp_path):
    from safetensors.torch import load_file, save_file

    tensors = load_file(folder / "model.safetensors")
    tensors.pop(sorted(tensors)[0])
    save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    with pytest.raises(UsageError, match=r"does not hold weights of model 'timesfm' .*1 tensors are absent"):
        forecast(timesfm(tmp_path))
    short = tmp_path / "short"
    short.mkdir()
    tiny_timesfm.build(short, context_length=256)
    with pytest.raises(UsageError, match="reads 256 bars at most, not 512"):
        forecast(timesfm(short))


def test_without_transformers_or_in_an_old_release_the_extra_is_named(folder, monkeypatch, tmp_path):
    found = importlib.util.find_spec

    def without(name, package=None):
        return None if name == "transformers" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    with pytest.raises(MissingExtra, match="timesfm"):
        timesfm(folder)
    old = importlib.util.spec_from_file_location("transformers", tmp_path / "__init__.py")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: old)
    assert not Timesfm.installed()
    assert "transformers" in sys.modules
