"""`chronos` against the vendor's own predictor, on small checkpoints saved and loaded by the vendor's code."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.forecasts import HIGH, LEVELS, LOW
from marketsim.forecasting.keys import fingerprint
from marketsim.models.chronos import Chronos
from marketsim.models.options import Options
from marketsim.models.scaling import to_percent
from marketsim.settings.settings import Settings
from tests.candles import random_ohlcv
from tests.libraries import needed
from tests.opened import opened

needed("chronos", extra="chronos")
torch = pytest.importorskip("torch")
tiny_chronos = pytest.importorskip("tests.models.tiny_chronos")
safetensors = pytest.importorskip("safetensors.torch")

CONTEXTS = np.stack([random_ohlcv(70, seed) for seed in range(5)])  # not a multiple of a patch
TIMES = np.tile(np.datetime64("2020-01-01", "s") + np.arange(71) * np.timedelta64(1, "D"), (5, 1))
PIPELINES = {"bolt-small": "ChronosBoltPipeline", "2": "Chronos2Pipeline"}


@pytest.fixture(scope="module", params=PIPELINES)
def variant(request):
    return request.param


def network(variant):
    return tiny_chronos.bolt() if variant == "bolt-small" else tiny_chronos.two()


@pytest.fixture(scope="module")
def folder(variant, tmp_path_factory):
    place = tmp_path_factory.mktemp("weights")
    network(variant).save_pretrained(place)
    return place


@pytest.fixture(scope="module")
def settings(variant, folder):
    return Settings.of(model=f"chronos:{variant}", weights=str(folder), device="cpu")


def forecast(settings):
    return opened(settings).forecast(CONTEXTS, TIMES)


@pytest.mark.parametrize("representation", ["moves", "prices"])
def test_quantiles_are_those_of_the_vendors_predictor_before_it_was_saved(variant, settings, representation):
    import chronos

    series = torch.from_numpy(to_percent(CONTEXTS, representation))
    pipeline = getattr(chronos, PIPELINES[variant])(network(variant))
    given = series if variant == "2" else series.flatten(0, 1)
    quantiles, _ = pipeline.predict_quantiles(given, prediction_length=1, quantile_levels=list(LEVELS))
    vendors = torch.stack(quantiles) if variant == "2" else quantiles.unflatten(0, series.shape[:2])
    moves = np.expm1(vendors[:, :, 0].double().numpy() / 100)
    assert np.abs(moves).max() > 0.01
    np.testing.assert_allclose(forecast(settings.replace(representation=representation)), moves, atol=1e-6)


def test_channels_are_one_group_to_chronos_2_and_strangers_to_bolt(variant, settings):
    other = CONTEXTS.copy()
    other[:, 20, HIGH] *= 1.2
    changed = opened(settings).forecast(other, TIMES) != forecast(settings)
    assert changed[:, HIGH].any(-1).all()
    assert changed[:, LOW].any(-1).all() == (variant == "2")


def test_groups_of_contexts_leave_no_seam(monkeypatch, settings):
    whole = forecast(settings)
    monkeypatch.setattr("marketsim.models.chronos_network.GROUPS", 2)
    np.testing.assert_allclose(forecast(settings), whole, atol=1e-6)


def test_a_network_is_loaded_once_and_in_silence(settings, capsys):
    from marketsim.models import chronos_network

    chronos_network.load.cache_clear()
    forecast(settings)
    forecast(settings)
    assert chronos_network.load.cache_info().misses == 1
    assert capsys.readouterr() == ("", "")


def test_bfloat16_is_near_float32(settings):
    half, full = forecast(settings.replace(dtype="bfloat16")), forecast(settings)
    assert (half != full).any()
    spread = np.ptp(full, axis=-1).mean()
    assert np.abs(half - full).mean() < 0.05 * spread


def test_the_fingerprint_holds_what_forecasts_depend_on_and_no_more(settings):
    prints = {
        fingerprint(opened(settings.replace(**changed)))
        for changed in ({}, {"context": 64}, {"representation": "prices"}, {"dtype": "bfloat16"})
    }
    assert len(prints) == 4
    same = opened(settings.replace(representation="moves", seed=7, compile=True, device="auto"))
    assert fingerprint(same) in prints


@pytest.mark.parametrize("option", ["samples", "temperature", "top_p", "top_k", "clip", "trim"])
def test_an_option_of_no_use_is_an_error(settings, option):
    with pytest.raises(UsageError, match=f"--{option.replace('_', '-')}: model 'chronos' does not use it"):
        opened(settings.replace(**{option: 1}))


@pytest.mark.parametrize("context", [1, 10_000])
def test_a_context_that_no_network_reads_is_an_error(settings, context):
    with pytest.raises(UsageError, match=rf"reads 2 to \d+ bars, not {context}"):
        opened(settings.replace(context=context))


def test_the_package_is_asked_for_by_its_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'marketsim\[chronos\]'"):
        Chronos("bolt-small", Options())


def refused(settings: Settings, folder: Path) -> str:
    """The one line that a forecast from `folder` comes to."""
    with pytest.raises(UsageError) as caught:
        forecast(settings.replace(weights=str(folder)))
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)
    return str(caught.value)


def test_weights_of_the_other_family_are_refused(variant, settings, tmp_path):
    other = next(each for each in PIPELINES if each != variant)
    network(other).save_pretrained(tmp_path)
    assert f"it is a {PIPELINES[other]}" in refused(settings, tmp_path)


def test_a_tensor_that_is_absent_is_not_made_up(settings, folder, tmp_path):
    tensors = safetensors.load_file(folder / "model.safetensors")
    lost = next(name for name in tensors if name.startswith("output_patch_embedding"))
    del tensors[lost]
    shutil.copy(folder / "config.json", tmp_path)
    safetensors.save_file(tensors, tmp_path / "model.safetensors", {"format": "pt"})
    assert f"1 tensors are absent, {lost} among them" in refused(settings, tmp_path)


def test_what_is_no_checkpoint_is_refused(settings, folder, tmp_path):
    shutil.copy(folder / "config.json", tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"no tensors")
    refused(settings, tmp_path)
    (tmp_path / "config.json").write_text('{"model_type": "t5"}')
    assert "Not a Chronos config file" in refused(settings, tmp_path)


def test_pickled_weights_are_not_read(settings, folder, tmp_path):
    shutil.copy(folder / "config.json", tmp_path)
    torch.save(safetensors.load_file(folder / "model.safetensors"), tmp_path / "pytorch_model.bin")
    refused(settings, tmp_path)


def test_a_network_without_the_levels_is_refused(tmp_path):
    tiny_chronos.bolt(levels=[0.1, 0.5, 0.9]).save_pretrained(tmp_path)
    assert "0.2 is not in list" in refused(Settings.of(model="chronos", device="cpu"), tmp_path)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("changed", [{}, {"compile": True}])
def test_a_gpu_gives_the_same(settings, changed):
    found = forecast(settings.replace(device="cuda", **changed))
    np.testing.assert_allclose(found, forecast(settings), atol=1e-4)
