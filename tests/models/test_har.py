"""`har` against its formula written out bar by bar, its fallbacks, and its acceptance on the sample."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from marketsim.data import open_source
from marketsim.forecasting.forecasts import LEVELS, repair
from marketsim.forecasting.scores import pinball
from marketsim.models import har
from marketsim.models.har import Har, scales
from marketsim.models.rolling_quantile import RollingQuantile
from tests.candles import random_ohlcv, series_of

Array = NDArray[np.float64]
BENCHMARK = Path(__file__).parents[2] / "scripts" / "benchmarks" / "forecast.py"


def slow_features(ohlcv: Array, t: int) -> tuple[list[float], Array]:
    """The regressors at bar t, and the log true ranges up to it."""
    o, h, l, c = np.log(ohlcv[: t + 1, :4]).T
    before = np.r_[o[0], c[:-1]]
    true_range = np.maximum(h, before) - np.minimum(l, before)
    moved = true_range > 1e-5
    for s in np.flatnonzero(~moved):
        usual = true_range[max(0, s - 59) : s + 1][moved[max(0, s - 59) : s + 1]]
        true_range[s] = max(0.2 * usual.mean(), 1e-5) if len(usual) else 1e-5
    returns = c - before
    row = [1.0]
    for each in (np.log(true_range), np.log(np.abs(returns) + 1e-5)):
        row += [each[-1], *(each[-span:].mean() for span in (3, 5, 10, 20, 60))]
    row.append(returns[-1] / true_range[-1])
    row += [returns[-span:].sum() / true_range[-span:].sum() for span in (5, 20)]
    for span in (5, 20):
        known = [v for v in ohlcv[: t + 1, 4][-span:] if v > 0]
        row.append(np.log(ohlcv[t, 4]) - np.log(known).mean() if ohlcv[t, 4] > 0 else 0.0)
    row.append(np.log(returns[-20:].var() + 1e-10))
    return row, np.log(true_range)


def slow_sigma(ohlcv: Array, t: int) -> float:
    last, log_range = slow_features(ohlcv, t)
    if t + 1 < 220:
        weight = 0.94 ** np.arange(t, -1, -1)
        return np.exp((weight * log_range).sum() / weight.sum())
    x = np.array([slow_features(ohlcv, s)[0] for s in range(t)])
    penalty = np.diag([0.0] + [10.0] * (len(last) - 1))
    coefficients = np.linalg.solve(x.T @ x + penalty, x.T @ log_range[1:])
    return np.exp(np.clip(last @ coefficients, log_range.min(), log_range.max()))


@pytest.fixture(scope="module")
def ohlcv() -> Array:
    bars = random_ohlcv(300, seed=5)
    bars[40:60, 4] = np.nan
    bars[230, 4] = 0.0
    bars[100] = [*[bars[99, 3]] * 4, 3.0]  # flat bars, alone and together
    bars[235:240] = [*[bars[234, 3]] * 4, 3.0]
    return bars


@pytest.mark.parametrize("t", [0, 1, 50, 218, 219, 220, 240, 299])
def test_scale_equals_the_formula(ohlcv: Array, t: int) -> None:
    assert scales(ohlcv[: t + 1], 0)[t] == pytest.approx(slow_sigma(ohlcv, t), rel=1e-9)


def test_forecast_equals_the_formula(ohlcv: Array) -> None:
    t = 260
    sigmas = scales(ohlcv, 0)
    expected = [
        np.expm1(sigmas[t] * np.quantile(np.log(ohlcv[1 : t + 1, i] / ohlcv[:t, 3]) / sigmas[:t], LEVELS))
        for i in range(4)
    ]
    np.testing.assert_allclose(Har().forecast(series_of(ohlcv), np.array([t]))[0], expected, rtol=1e-9)


def test_only_the_last_500_units_count() -> None:
    bars = random_ohlcv(800)
    bars[1:200, :4] *= np.linspace(1, 4, 199)[:, None]
    sigmas, t = scales(bars, 0), 760
    units = np.log(bars[t - 499 : t + 1, 1] / bars[t - 500 : t, 3]) / sigmas[t - 500 : t]
    expected = np.expm1(sigmas[t] * np.quantile(units, LEVELS))
    np.testing.assert_allclose(Har().forecast(series_of(bars), np.array([t]))[0, 1], expected, rtol=1e-9)


def test_below_twenty_bars_the_quantiles_are_empirical() -> None:
    bars = random_ohlcv(30)
    short, long = np.arange(1, 19), np.arange(19, 30)
    baseline = RollingQuantile()
    np.testing.assert_array_equal(Har().forecast(series_of(bars), short), baseline.forecast(series_of(bars), short))
    assert (Har().forecast(series_of(bars), long) != baseline.forecast(series_of(bars), long)).any(axis=(1, 2)).all()


def ticky(tick: float, share: float) -> Array:
    """Bars of a price that moves by ticks, of which only a share trades at all."""
    random = np.random.default_rng(1)
    path = np.exp(np.cumsum(random.normal(0, 0.01 / 40**0.5, 1500 * 40))).reshape(1500, 40)
    path = np.round(path / tick) * tick
    path[random.random(1500) > share] = np.nan
    close = path[:, -1]
    known = np.maximum.accumulate(np.where(np.isnan(close), 0, np.arange(1500)))
    path = np.where(np.isnan(path), close[known][:, None], path)
    opens = np.r_[path[0, 0], path[:-1, -1]]
    whole = np.column_stack([opens, path])
    return np.column_stack([opens, whole.max(1), whole.min(1), path[:, -1], np.full(1500, 5.0)])


@pytest.mark.parametrize(("tick", "share"), [(0.01, 1.0), (0.02, 1.0), (1e-4, 0.5)])
def test_bars_that_do_not_move_leave_the_bands_as_narrow_as_they_are(tick: float, share: float) -> None:
    bars = ticky(tick, share)
    origins = np.arange(900, 1499)
    assert (bars[:, 1] == bars[:, 2]).mean() > 0.15
    actual = bars[origins + 1, :4] / bars[origins, 3, None] - 1
    har_, baseline = (repair(model.forecast(series_of(bars), origins))[0] for model in (Har(), RollingQuantile()))
    losses = [pinball(moves, actual, LEVELS).mean(0)[1:] for moves in (har_, baseline)]
    assert (losses[0] / losses[1]).mean() < 1.03
    assert np.abs(har_).max() < 2 * np.abs(baseline).max()


def test_scale_follows_volatility() -> None:
    calm, wild = random_ohlcv(400), random_ohlcv(400)
    wild[360:, 1] *= 1.05
    wild[360:, 2] /= 1.05
    assert scales(wild, 399)[399] > 2 * scales(calm, 399)[399]


def test_blocks_leave_no_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    bars = random_ohlcv(600)
    whole = scales(bars, 0)
    monkeypatch.setattr(har, "BLOCK", 37)
    for first in (0, 219, 221, 222, 223, 599):
        np.testing.assert_array_equal(scales(bars, first)[first:], whole[first:])


@pytest.mark.parametrize("symbol", ["ETHUSD", "BTCUSD", "NVDA", "AMZN"])
def test_calibrated_and_better_than_the_baseline_on_the_sample(symbol: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARK.parent))
    spec = importlib.util.spec_from_file_location("forecast_benchmark", BENCHMARK)
    assert spec
    assert spec.loader
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    bars = open_source("sample").load(symbol)
    coverage, pinball, _ = benchmark.score(Har(), bars)
    assert ((coverage >= 0.77) & (coverage <= 0.83)).all()
    assert (pinball < benchmark.score(RollingQuantile(), bars)[1]).all()
