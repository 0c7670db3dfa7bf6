"""What a forecast says of the bar's variance: against simulated bars, and the constants against their formula."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize, stats

from marketsim.forecasts import LEVELS
from marketsim.variance import LOG_MEDIANS, LOG_TAILS, SPREADS, path_variance


def quantile(level: float, spread: float) -> float:
    """Of log |N| + spread N' / 2, by Gauss-Hermite quadrature over N'."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)

    def excess(x: float) -> float:
        inside = 2 * stats.norm.cdf(np.exp(x - spread / 2 * nodes)) - 1
        return float(inside @ weights / weights.sum() - level)

    return float(optimize.brentq(excess, -8, 4))


def test_the_constants_are_quantiles_of_a_brownian_high_of_uncertain_variance() -> None:
    for spread, median, tail in zip(SPREADS, LOG_MEDIANS, LOG_TAILS, strict=True):
        assert quantile(0.5, spread) == pytest.approx(median, abs=6e-5)
        assert quantile(0.9, spread) - quantile(0.5, spread) == pytest.approx(tail, abs=6e-5)


def forecast(volatility: float, spread: float, drift: float = 0.0) -> np.ndarray:
    """Quantiles [1, 4, Q] of the moves of bars whose variance is log-normal around `volatility ** 2`."""
    rng = np.random.default_rng(1)
    scale = volatility * np.exp(spread / 2 * rng.standard_normal(400_000))
    up, down = np.abs(rng.standard_normal((2, 400_000))) * scale
    channels = [np.zeros(400_000), np.expm1(drift + up), np.expm1(drift - down), np.full(400_000, drift)]
    return np.quantile(channels, LEVELS, axis=1).T[None]


@pytest.mark.parametrize("volatility", [0.001, 0.04])
@pytest.mark.parametrize("spread", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("drift", [0.0, 0.1])
def test_variance_and_spread_are_found_whatever_the_drift(volatility: float, spread: float, drift: float) -> None:
    variance, found = path_variance(forecast(volatility, spread, drift * volatility))
    assert variance[0] == pytest.approx(volatility**2, rel=0.02)
    assert found[0] == pytest.approx(spread, abs=0.06)


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
