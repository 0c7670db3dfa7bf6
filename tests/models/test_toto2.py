"""Toto 2.0 on a tiny checkpoint of its own architecture, against the vendor's forward pass and its pipeline."""

import sys
from pathlib import Path

import numpy as np
import pytest

from marketsim import registry
from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.options import Options
from marketsim.models.toto2 import Toto2
from tests.candles import random_ohlcv
from tests.libraries import needed

needed("toto2", "unit_scaling", extra="toto2")
torch = pytest.importorskip("torch")
tiny_toto2 = pytest.importorskip("tests.models.tiny_toto2")

CONTEXTS = np.stack([random_ohlcv(300, seed=seed)[-160:] for seed in range(3)])
TIMES = np.tile(np.datetime64("2020-01-01", "s") + np.arange(161) * np.timedelta64(1, "D"), (3, 1))


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("toto2")
    tiny_toto2.build(place)
    return place


def toto2(folder: Path, **options: object) -> Toto2:
    return Toto2("22m", Options(weights=str(folder), **({"device": "cpu"} | options)))


def forecast(model: Toto2, contexts: np.ndarray = CONTEXTS) -> np.ndarray:
    return model.forecast(contexts, TIMES[: len(contexts), -contexts.shape[1] - 1 :])


def vendor_series(contexts: np.ndarray) -> torch.Tensor:
    prices = torch.tensor(contexts[..., :4].swapaxes(1, 2))
    return (100 * torch.log(prices / prices[:, 3:, -1:])).float()


def test_quantiles_equal_the_vendors_forward_pass(folder):
    from marketsim.models.toto2_network import Toto2Network

    network = Toto2Network(folder)
    series = vendor_series(CONTEXTS)
    there = torch.ones_like(series, dtype=torch.bool)
    with torch.no_grad():
        theirs = network.model(series, there, there, torch.zeros(3, 4, dtype=torch.long), num_return_steps=1)
    first = theirs.quantiles[..., -1, 0].sinh() * theirs.scale[..., -1] + theirs.loc[..., -1]
    expected = np.expm1(first.sort(0).values.double().numpy() / 100)
    np.testing.assert_allclose(forecast(toto2(folder)), np.moveaxis(expected, 0, -1), atol=1e-6)


def test_quantiles_equal_the_vendors_pipeline(folder):
    from toto2 import Toto2GluonTSModel, Toto2GluonTSModelConfig

    from marketsim.models.toto2_network import Toto2Network

    network = Toto2Network(folder)
    pipeline = Toto2GluonTSModel(network.model, Toto2GluonTSModelConfig(1, 160, 4, quantiles=list(LEVELS)))
    series = vendor_series(CONTEXTS)
    with torch.no_grad():
        ((quantiles,), _, _) = pipeline(series, torch.ones_like(series, dtype=torch.bool), torch.zeros(3, 160))
    expected = np.expm1(quantiles.squeeze(-2).double().numpy() / 100)
    np.testing.assert_allclose(forecast(toto2(folder)), expected, atol=1e-6)


def test_contexts_are_cut_to_whole_patches(folder):
    from marketsim.models.toto2_network import Toto2Network

    model = toto2(folder)
    np.testing.assert_array_equal(forecast(model, CONTEXTS[:, -150:]), forecast(model, CONTEXTS[:, -128:]))
    assert not np.array_equal(forecast(model, CONTEXTS[:, -128:]), forecast(model))
    assert model.minimum_bars == model.patch == Toto2Network(folder).patch


def test_bfloat16_is_near(folder):
    np.testing.assert_allclose(forecast(toto2(folder, dtype="bfloat16")), forecast(toto2(folder)), atol=0.02)


def test_its_name_and_sizes(folder):
    with pytest.raises(UsageError, match="--temperature: model 'toto2' does not use it"):
        toto2(folder, temperature=0.5)
    with pytest.raises(UsageError, match="--trim: model 'toto2' does not use it"):
        toto2(folder, trim=0.2)
    with pytest.raises(UsageError, match="multiples of 32 bars"):
        toto2(folder, context=48)
    assert tuple(Toto2.variants) == registry.VARIANTS["toto2"]


def test_weights_of_another_kind_are_one_line(folder, tmp_path):
    (tmp_path / "config.json").write_text(
        (folder / "config.json").read_text().replace('"d_model": 32', '"d_model": 64')
    )
    (tmp_path / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    with pytest.raises(UsageError, match="does not hold weights of model 'toto2'") as caught:
        forecast(toto2(tmp_path))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("with_toto", [False, True])
def test_the_folder_that_another_package_brings_is_not_taken_for_it(folder, tmp_path, monkeypatch, with_toto):
    if with_toto:
        nested = tmp_path / "toto2" / "toto2"
        nested.mkdir(parents=True)
        (nested / "__init__.py").touch()
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.setattr(sys, "modules", {name: module for name, module in sys.modules.items() if name != "toto2"})
    with pytest.raises(MissingExtra, match=r"pip install 'marketsim\[toto2\]'"):
        toto2(folder)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
@pytest.mark.parametrize("options", [{}, {"dtype": "bfloat16"}, {"compile": True}])
def test_a_gpu_agrees(folder, options):
    model = toto2(folder, device="cuda", **options)
    np.testing.assert_allclose(forecast(model), forecast(toto2(folder)), atol=0.02 if "dtype" in options else 1e-4)
    assert model.batch > 1
