"""skforecast's models on tiny checkpoints: its facts, one call a batch, the very weights that were digested."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.keys import fingerprint
from marketsim.models import zoo
from marketsim.models.options import Options
from marketsim.models.scaling import to_percent
from marketsim.models.zoo import MODELS, Zoo
from marketsim.registry import NOT_OFFERED
from tests.candles import random_ohlcv
from tests.libraries import needed

foundation = pytest.importorskip("skforecast.foundation", reason="the extra 'zoo' is not installed")
needed("chronos", extra="zoo")
tiny_chronos = pytest.importorskip("tests.models.tiny_chronos")

CONTEXTS = np.stack([random_ohlcv(128, seed=seed) for seed in range(3)])
TIMES = np.tile(np.datetime64("2020-01-01", "s") + np.arange(129) * np.timedelta64(1, "D"), (3, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("zoo")
    tiny_chronos.build_two(place)
    return place


def chronos(folder: Path, **options: object) -> Zoo:
    return Zoo("chronos-2-small", Options(weights=str(folder), **({"device": "cpu"} | options)))


@pytest.mark.parametrize("name", MODELS)
def test_what_is_said_of_a_model_is_what_skforecast_says(name):
    ours, theirs = MODELS[name], foundation.get_model_info(MODELS[name].repository)
    assert (ours.license, ours.license_url) == (theirs.license, theirs.license_url)
    assert ours.commercial != theirs.commercial_use_restricted
    assert not theirs.requires_hf_auth
    assert not theirs.requires_provider_auth
    assert theirs.weights_repo_id == ours.repository
    assert theirs.supported_quantiles is None or set(LEVELS) <= set(theirs.supported_quantiles)


def test_quantiles_are_those_of_the_backend_for_each_series_alone(folder):
    from chronos import BaseChronosPipeline

    series = to_percent(CONTEXTS, "moves").reshape(12, 128)
    pipeline = BaseChronosPipeline.from_pretrained(folder, device_map="cpu")
    quantiles, _ = pipeline.predict_quantiles([{"target": row} for row in series], 1, quantile_levels=list(LEVELS))
    expected = np.sort(np.concatenate([each.numpy() for each in quantiles])[:, 0], -1).reshape(3, 4, 9)
    found = chronos(folder).forecast(CONTEXTS, TIMES)
    np.testing.assert_allclose(found, np.expm1(expected / 100), atol=1e-6)


def test_a_batch_is_one_call(folder, monkeypatch):
    model = chronos(folder)
    calls = []
    adapter = model.load().network.model.adapter
    predict = type(adapter).predict

    def counted(self, *arguments, **named):
        calls.append(len(named.get("context") or arguments[1]))
        return predict(self, *arguments, **named)

    monkeypatch.setattr(type(adapter), "predict", counted)
    model.forecast(CONTEXTS, TIMES)
    assert calls == [12]


def test_the_weights_that_are_loaded_are_those_that_were_digested(folder, tmp_path):
    tiny_chronos.two(d_ff=32).save_pretrained(tmp_path)
    here, there = chronos(folder), chronos(tmp_path)
    assert fingerprint(here) != fingerprint(there)
    assert (here.forecast(CONTEXTS, TIMES) != there.forecast(CONTEXTS, TIMES)).any()
    assert here.load().network.model.adapter.model_id == str(folder)


def test_weights_that_restrict_commercial_use_are_not_downloaded_unasked(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("marketsim.models.weights._downloaded", lambda *_: pytest.fail("downloaded"))
    words = r"timesfm-non-commercial-license-v1\.0, which restricts commercial use .*hf download google/timesfm-3\.0"
    with pytest.raises(UsageError, match=words):
        Zoo("timesfm-3", Options())
    Zoo("timesfm-3", Options(weights=str(folder)))
    place = tmp_path / "models--google--timesfm-3.0-pytorch"
    for name, text in (("refs/main", "c0ffee"), ("snapshots/c0ffee/model.safetensors", "")):
        (place / name).parent.mkdir(parents=True)
        (place / name).write_text(text)
    assert Zoo("timesfm-3", Options()).weights.digest == "google/timesfm-3.0-pytorch@c0ffee"


def test_every_adapter_is_offered_or_it_is_said_why_not():
    adapters = [each.default_model_id.partition("/")[2].lower() for each in foundation.list_adapters()]
    told = (*(model.repository.partition("/")[2] for model in MODELS.values()), *NOT_OFFERED["zoo"])
    assert [name for name in adapters if not name.startswith(told)] == []
    assert len(told) == len(adapters)


def test_models_list_tells_the_licenses():
    from marketsim.models.listing import list_models

    (listed,) = (model for model in list_models() if model.name == "zoo")
    assert listed.licenses["t0"] == "Apache-2.0"
    assert listed.licenses["timesfm-3"].endswith("which restricts commercial use")
    assert json.dumps(listed.licenses)
    assert listed.not_offered == NOT_OFFERED["zoo"]


@pytest.mark.parametrize(
    ("variant", "context"), [("chronos-2-small", 31), ("chronos-2-small", 8193), ("timesfm-2.5", 16_385)]
)
def test_contexts_that_a_model_cannot_read_are_refused(folder, variant, context):
    with pytest.raises(UsageError, match=rf"'zoo:{variant}' reads 32 to \d+ bars, not {context}"):
        Zoo(variant, Options(weights=str(folder), context=context))


def test_a_backend_that_is_absent_is_asked_for(folder, monkeypatch):
    monkeypatch.setattr(zoo.importlib.util, "find_spec", lambda name: None if name == "t0" else object())
    with pytest.raises(MissingExtra, match="'zoo:t0' needs the extra 'zoo'"):
        Zoo("t0", Options(weights=str(folder)))
    assert Zoo("chronos-2-small", Options(weights=str(folder))).variant == "chronos-2-small"


def test_no_adapter_may_clip_moves_at_zero_or_look_for_another_device():
    from marketsim.models.zoo_network import _choices

    for name, model in MODELS.items():
        chosen = _choices(model.repository, "cpu")
        made = foundation.FoundationModel(model.repository, context_length=64, **chosen)
        if name == "timesfm-2.5":
            assert made.adapter.forecast_config_kwargs == {"infer_is_positive": False}
        else:
            assert "cpu" in chosen.values()
