"""What every model with weights must keep to, on small checkpoints of its own architecture, loaded by its own code."""

from __future__ import annotations

import importlib
import importlib.util
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim import registry
from marketsim.auditing.chain import Chain
from marketsim.auditing.symbol_audit import audit_symbol
from marketsim.backtesting import pipeline
from marketsim.backtesting.pipeline import run
from marketsim.errors import Success
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, MEDIAN, OPEN
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.protocols import ContextModel
from marketsim.profiling import Clock
from marketsim.settings.resolution import resolve
from marketsim.settings.settings import Settings
from tests.candles import random_bars, random_ohlcv
from tests.cli.test_startup import in_one_process
from tests.opened import opened

CONFIGS = Path(__file__).parents[2] / "configs" / "models"

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Tiny:
    """Where a small checkpoint of a model comes from, and how nearly the same its forecasts are."""

    package: str  # which only the extra of the model's name installs
    builder: str  # module:function, handed a folder
    noise: float = 1e-6  # that batch mates may make in a move
    flat: float = 0.01  # moves that it may see where prices did not move


CHECKPOINTS = {
    "chronos": Tiny("chronos", "tests.models.tiny_chronos:build"),
    "chronos:2": Tiny("chronos", "tests.models.tiny_chronos:build_two"),
    "fracast": Tiny("fracast", "tests.models.tiny_fracast:build"),
    "kronos": Tiny("kronos_finance", "tests.models.tiny_kronos:build"),
    "timesfm": Tiny("transformers", "tests.models.tiny_timesfm:build"),
    "toto": Tiny("toto", "tests.models.tiny_toto:build"),
    "toto2": Tiny("unit_scaling", "tests.models.tiny_toto2:build"),
    "zoo": Tiny("skforecast", "tests.models.tiny_chronos:build_two"),
    "zoo:t0": Tiny("t0", "tests.models.tiny_t0:build", flat=0.03),
}


def test_every_model_with_weights_is_held_to_this() -> None:
    assert {name.partition(":")[0] for name in CHECKPOINTS} == set(registry.VARIANTS)


@pytest.fixture(scope="module", params=CHECKPOINTS)
def name(request: pytest.FixtureRequest) -> str:
    package = CHECKPOINTS[request.param].package
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"the extra '{request.param.partition(':')[0]}' is not installed")
    return str(request.param)


@pytest.fixture(scope="module")
def folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("weights")
    module, function = CHECKPOINTS[name].builder.split(":")
    getattr(importlib.import_module(module), function)(place)
    return place


@pytest.fixture(scope="module")
def settings(name: str, folder: Path) -> Settings:
    return Settings.of(model=name, weights=str(folder), device="cpu")


@pytest.fixture(scope="module")
def model(settings: Settings) -> ContextModel:
    found = opened(settings)
    assert hasattr(found, "context")
    return found


@pytest.fixture(scope="module")
def contexts(model: ContextModel) -> Array:
    """Five contexts as long as the model reads."""
    return np.stack([random_ohlcv(model.context, seed) for seed in range(5)])


@pytest.fixture(scope="module")
def expected(model: ContextModel, contexts: Array) -> Array:
    return forecast(model, contexts)


def forecast(model: ContextModel, contexts: Array) -> Array:
    """The forecasts of contexts of daily bars, which are handed over for reading only."""
    days = np.datetime64("2020-01-01", "s") + np.arange(contexts.shape[1] + 1) * np.timedelta64(1, "D")
    given, times = contexts.copy(), np.tile(days, (len(contexts), 1))
    given.setflags(write=False)
    times.setflags(write=False)
    return model.forecast(given, times)


def check_independence(model: ContextModel, contexts: Array, noise: float) -> None:
    """A forecast is the same alone, in another order, beside others, and beside itself."""
    together = forecast(model, contexts)
    order = np.array([3, 0, 4, 2, 1])
    np.testing.assert_allclose(forecast(model, contexts[order]), together[order], rtol=0, atol=noise)
    for i in range(len(contexts)):
        np.testing.assert_allclose(forecast(model, contexts[[i]]), together[[i]], rtol=0, atol=noise)
    twice = forecast(model, contexts[[1, 1, 2]])
    np.testing.assert_allclose(twice, together[[1, 1, 2]], rtol=0, atol=noise)


def test_a_forecast_depends_on_its_own_context_alone(name: str, model: ContextModel, contexts: Array) -> None:
    check_independence(model, contexts, CHECKPOINTS[name].noise)


class Mingling:
    """Looks at its batch mates."""

    def forecast(self, contexts: Array, times: NDArray[np.datetime64]) -> Array:
        moves = contexts[:, -1, :4] / contexts[:, -1:, 3] - 1
        return np.repeat(moves[..., None], len(LEVELS), -1) + 1e-4 * np.log(contexts[..., :4].mean())


def test_a_planted_fault_is_caught_by_the_same_check(contexts: Array) -> None:
    with pytest.raises(AssertionError):
        check_independence(Mingling(), contexts, 1e-6)


def test_forecasts_are_finite_distinct_and_above_a_total_loss(expected: Array) -> None:
    assert expected.shape == (5, 4, len(LEVELS))
    assert expected.dtype == np.float64
    assert np.isfinite(expected).all()
    assert (expected > -1).all()
    assert len(np.unique(expected[..., MEDIAN].round(9))) == 20


def test_forecasts_are_rising_and_coherent_after_the_sweep(model: ContextModel) -> None:
    bars = random_bars(model.minimum_bars + 6)
    found = make_forecasts(model, bars, np.arange(model.minimum_bars - 1, len(bars)), None, Clock())
    moves = found.moves
    assert moves.shape == (7, 4, len(LEVELS))
    assert (np.diff(moves, axis=-1) >= 0).all()
    median = moves[..., MEDIAN]
    assert (median[:, LOW] <= median[:, [OPEN, CLOSE]].min(1)).all()
    assert (median[:, HIGH] >= median[:, [OPEN, CLOSE]].max(1)).all()


def test_the_oldest_bar_counts_and_the_newest_too(model: ContextModel, contexts: Array, expected: Array) -> None:
    for bar in (1, -1):
        other = contexts.copy()
        other[:, bar, HIGH] *= 1.3
        assert (forecast(model, other) != expected).any((1, 2)).all()


def test_weights_elsewhere_and_built_again_give_the_same(
    name: str, folder: Path, model: ContextModel, settings: Settings, contexts: Array, expected: Array, tmp_path: Path
) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    module, function = CHECKPOINTS[name].builder.split(":")
    (tmp_path / "again").mkdir()
    getattr(importlib.import_module(module), function)(tmp_path / "again")
    for place in ("copy", "again"):
        other = opened(settings.replace(weights=str(tmp_path / place)))
        assert fingerprint(other) == fingerprint(model)
        np.testing.assert_array_equal(forecast(other, contexts), expected)


def test_the_scale_of_prices_does_not_matter(model: ContextModel, contexts: Array, expected: Array) -> None:
    for scale in (1e-6, 1e6):
        scaled = contexts.copy()
        scaled[..., :4] *= scale
        np.testing.assert_allclose(forecast(model, scaled), expected, rtol=0, atol=1e-5)


def test_constant_prices_stay_about_where_they_are(name: str, model: ContextModel, contexts: Array) -> None:
    flat = contexts[:1].copy()
    flat[..., :4] = 7.0
    moves = forecast(model, flat)
    assert np.isfinite(moves).all()
    assert np.abs(moves).max() < CHECKPOINTS[name].flat


@pytest.mark.parametrize("more", [0, 1, 40])
def test_short_contexts(model: ContextModel, contexts: Array, more: int) -> None:
    assert np.isfinite(forecast(model, contexts[:, -model.minimum_bars - more :])).all()


def test_volume_may_be_absent_or_nothing(model: ContextModel, contexts: Array) -> None:
    for volume in (np.nan, 0.0):
        for rows in (slice(None), slice(10, 20)):
            other = contexts[:2].copy()
            other[:, rows, 4] = volume
            assert np.isfinite(forecast(model, other)).all()


def test_wild_prices_stay_finite(model: ContextModel, contexts: Array) -> None:
    wild = contexts[:2].copy()
    wild[..., :4] *= np.where(np.arange(wild.shape[1]) % 7 == 0, 1e6, 1.0)[:, None]
    moves = forecast(model, wild)
    assert np.isfinite(moves).all()
    assert (moves > -1).all()


def test_it_says_what_it_is(name: str, model: ContextModel, settings: Settings) -> None:
    kind = type(model)
    assert tuple(kind.variants) == registry.VARIANTS[model.name]
    assert model.name == name.partition(":")[0]
    assert model.trained_until is not None
    assert model.training
    assert 1 <= model.minimum_bars <= model.context
    assert model.batch >= 1
    other = opened(settings.replace(context=model.context // 2))
    assert fingerprint(other) != fingerprint(model)


def test_a_second_run_needs_no_torch(name: str, settings: Settings, tmp_path: Path) -> None:
    small = settings.replace(sims=2, window=3, cache_dir=str(tmp_path))
    (first,) = run(["ETHUSD"], small, Clock())
    assert isinstance(first.outcome, Success)
    words = ["ETHUSD", "--model", name, "--weights", str(settings.network.weights), "--device", "cpu", "--json"]
    words += ["--cache-dir", str(tmp_path)]
    commands = (["backtest", *words, "--sims", "2", "--window", "3"], ["forecast", *words])
    assert in_one_process(*commands) == [(0, {"numpy"})] * 2


def test_it_passes_the_audit(name: str, settings: Settings) -> None:
    """In the sizes of a toy, but through the whole chain: futures, order, batches, another symbol, units, keys."""
    small = settings.replace(sims=2, window=3, fill="touch", cache="off")
    tools = pipeline.open_tools(small, Clock())
    bars = random_bars(tools.model.minimum_bars + 30)
    beside = replace(random_bars(len(bars), seed=5), symbol="OTHER")
    found = audit_symbol(Chain(tools, small), bars, pipeline.walk_over(bars, small.walk, tools.model), beside, 1, 3)
    assert [(check.name, check.found.first) for check in found.checks if not check.passed] == []
    assert {check.tolerance for check in found.checks} == {0.0, 1e-6, 1e-5}


def test_paths_are_drawn_by_the_models_that_are_said_to(name: str, model: ContextModel) -> None:
    assert registry.draws_paths(name) == hasattr(model, "paths")


def test_every_model_with_weights_has_settings_to_start_from() -> None:
    named = {resolve({}, str(path), {}).settings.model.partition(":")[0] for path in CONFIGS.glob("*.toml")}
    assert named == set(registry.VARIANTS)
