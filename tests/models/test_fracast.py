"""`fracast` with the real weights of its package, against the package's own predictor."""

import numpy as np
import pytest

from marketsim.backtesting.pipeline import run
from marketsim.data import open_source
from marketsim.errors import MissingExtra, UsageError, value_of
from marketsim.forecasting.keys import contexts_of, fingerprint
from marketsim.models.fracast import Fracast
from marketsim.models.options import Options
from marketsim.models.scaling import to_percent
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings
from tests.libraries import needed
from tests.opened import opened

needed("fracast", extra="fracast")
torch = pytest.importorskip("torch")
tiny_fracast = pytest.importorskip("tests.models.tiny_fracast")

SETTINGS = Settings.of(model="fracast", device="cpu")


@pytest.fixture(scope="module")
def given():
    """The context of one bar of the sample, and its times."""
    bars = open_source("sample").load("ETHUSD")
    context, times = contexts_of(opened(SETTINGS), bars, np.array([1100])).at(0)
    return context[None], times[None]


@pytest.mark.parametrize("representation", ["moves", "prices"])
def test_quantiles_are_those_of_the_packages_predictor_in_float32(given, representation):
    from fracast import FracastModel

    series = to_percent(given[0], representation).reshape(4, -1)
    found = opened(SETTINGS.replace(representation=representation)).forecast(*given)
    full, eight_bits = (
        np.expm1(FracastModel.from_pretrained(weights=kind).forecast_batch(series, horizon=1) / 100).reshape(
            found.shape
        )
        for kind in ("fp32", "w8")
    )
    np.testing.assert_allclose(found, full, atol=1e-6)
    assert np.abs(found - eight_bits).max() > 1e-5


def test_a_backtest_runs_on_the_real_weights():
    (done,) = run(["ETHUSD"], SETTINGS.replace(sims=2, window=3, cache="off"), Clock())
    forecasts = value_of(done.outcome).forecasts
    assert (forecasts.model.name, forecasts.made) == ("fracast", 6)


def test_the_fingerprint_holds_what_forecasts_depend_on_and_no_more(tmp_path):
    tiny_fracast.build(tmp_path)
    changes = ({}, {"context": 64}, {"representation": "prices"}, {"weights": str(tmp_path)})
    prints = {fingerprint(opened(SETTINGS.replace(**changed))) for changed in changes}
    assert len(prints) == 4
    assert fingerprint(opened(SETTINGS.replace(seed=7, compile=True, device="auto"))) in prints


def test_a_revision_is_one_of_the_hub(monkeypatch, tmp_path):
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(UsageError, match="ztxtech/fracast-0"):
        opened(SETTINGS.replace(revision="v1"))


@pytest.mark.parametrize("changed", [{"samples": 8}, {"top_p": 0.5}, {"trim": 0.2}, {"dtype": "bfloat16"}])
def test_an_option_of_no_use_is_an_error(changed):
    with pytest.raises(UsageError, match="model 'fracast' does not use it"):
        opened(SETTINGS.replace(**changed))


@pytest.mark.parametrize("context", [7, 2049])
def test_a_context_that_the_network_cannot_read_is_an_error(context):
    with pytest.raises(UsageError, match=f"reads 8 to 2048 bars, not {context}"):
        opened(SETTINGS.replace(context=context))


def test_the_package_is_asked_for_by_its_extra(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingExtra, match=r"pip install 'marketsim\[fracast\]'"):
        Fracast("0", Options())


def test_what_is_no_checkpoint_is_one_line(given, tmp_path):
    tiny_fracast.build(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UsageError, match="does not hold weights of model 'fracast'"):
        opened(SETTINGS.replace(weights=str(tmp_path))).forecast(*given)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU here")
def test_a_gpu_gives_the_same(given):
    found = opened(SETTINGS.replace(device="cuda")).forecast(*given)
    np.testing.assert_allclose(found, opened(SETTINGS).forecast(*given), atol=1e-4)
