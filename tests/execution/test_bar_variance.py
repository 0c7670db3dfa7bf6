"""What a forecast says of the bar's variance: against simulated bars, and the constants against their formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from marketsim.execution.bar_variance import (
    DECILES_APART,
    GAP_MEDIANS,
    GAPS,
    LOG_MEDIANS,
    LOG_TAILS,
    SPREADS,
    TOP,
    path_variance,
)
from marketsim.execution.fill_probability import BEND
from marketsim.forecasting.forecasts import LEVELS


def bent(normal: np.ndarray) -> np.ndarray:
    """The error that `crossing.py` assumes, in spreads."""
    return normal + BEND * normal**2


def quantile(level: float, spread: float) -> float:
    """Of log |N| + spread * error / 2, by Gauss-Hermite quadrature over the error."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def excess(x: float) -> float:
        inside = 2 * stats.norm.cdf(np.exp(x - spread / 2 * bent(nodes))) - 1
        return float(inside @ weights / weights.sum() - level)

    return float(optimize.brentq(excess, -8, 4))


def test_the_constants_are_quantiles_of_a_brownian_high_of_uncertain_variance() -> None:
    for spread, median, tail in zip(SPREADS, LOG_MEDIANS, LOG_TAILS, strict=True):
        assert quantile(0.5, spread) == pytest.approx(median, abs=6e-5)
        assert quantile(0.9, spread) - quantile(0.5, spread) == pytest.approx(tail, abs=6e-5)


def test_the_constants_of_gaps_are_quantiles_of_a_normal_before_a_brownian_high() -> None:
    assert pytest.approx(2 * stats.norm.ppf(0.9), abs=1e-4) == DECILES_APART
    assert pytest.approx(stats.halfnorm.ppf(0.9), abs=1e-4) == TOP
    for gap, added in zip(GAPS[1:], GAP_MEDIANS[1:], strict=True):
        median, top = stats.skewnorm.ppf((0.5, 0.9), 1 / gap, scale=np.hypot(gap, 1))  # of a normal and half a normal
        assert np.log(median / stats.halfnorm.median()) == pytest.approx(added, abs=6e-5)
        assert np.sqrt(top**2 - (TOP * gap) ** 2) == pytest.approx(TOP, rel=0.02 if gap <= 1 else 0.2)


def forecast(volatility: float, spread: float, drift: float = 0.0, gap: float = 0.0) -> np.ndarray:
    """Quantiles [1, 4, Q] of the moves of bars whose variance strays around `volatility ** 2`."""
    rng = np.random.default_rng(1)
    scale = volatility * np.exp(spread / 2 * bent(rng.standard_normal(400_000)))
    up, down = np.abs(rng.standard_normal((2, 400_000))) * scale
    opens = gap * rng.standard_normal(400_000)
    channels = [np.expm1(opens), np.expm1(opens + drift + up), np.expm1(opens + drift - down), np.full(400_000, drift)]
    return np.quantile(channels, LEVELS, axis=1).T[None]


@pytest.mark.parametrize("volatility", [0.001, 0.04])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("drift", [0.0, 0.1])
def test_variance_and_spread_are_found_whatever_the_drift(volatility: float, spread: float, drift: float) -> None:
    variance, found = path_variance(forecast(volatility, spread, drift * volatility))
    assert variance[0] == pytest.approx(volatility**2, rel=0.02)
    assert found[0] == pytest.approx(spread, abs=0.06)


@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("gap", [0.1, 0.45, 0.7])
def test_gaps_are_no_part_of_the_path(spread: float, gap: float) -> None:
    variance, found = path_variance(forecast(0.02, spread, gap=gap * 0.02))
    assert variance[0] == pytest.approx(0.02**2, rel=0.03 + 0.09 * spread)
    assert found[0] == pytest.approx(spread, abs=0.06 + 0.14 * spread)


def test_forecasts_without_a_range_have_the_least_variance_and_no_spread() -> None:
    variance, spread = path_variance(np.zeros((3, 4, len(LEVELS))))
    assert variance.shape == spread.shape == (3,)
    assert (variance > 0).all() and (variance < 1e-11).all()
    assert (spread == 0).all()


def test_the_widest_forecasts_stay_finite() -> None:
    moves = np.zeros((1, 4, len(LEVELS)))
    moves[0, 1], moves[0, 2] = np.linspace(0.1, 10, len(LEVELS)), np.linspace(-1, -0.1, len(LEVELS))
    variance, spread = path_variance(moves)
    assert np.isfinite(variance).all() and spread[0] <= SPREADS[-1]
