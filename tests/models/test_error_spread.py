"""The spread that point forecasts get from their own past errors."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.error_spread import LEAST, WINDOW, spread_of_errors
from marketsim.models.har import scales
from tests.candles import random_ohlcv

OHLCV = random_ohlcv(420, seed=3)


def some_points(seed: int = 0) -> np.ndarray:
    """Point forecasts `[T, 4]`, of which some are missing."""
    rng = np.random.default_rng(seed)
    points = rng.normal(0, 0.01, (len(OHLCV), 4))
    points[rng.random(points.shape) < 0.1] = np.nan
    points[:60] = np.nan
    return points


def slowly(points: np.ndarray, t: int, channel: int) -> np.ndarray:
    """The quantiles at one origin, error by error, from the bars that are known there."""
    known = OHLCV[: t + 1]
    sigma = scales(known, 0)
    errors = [
        np.log(known[s + 1, channel] / known[s, 3] / (1 + points[s, channel])) / sigma[s]
        for s in range(t)
        if not np.isnan(points[s, channel])
    ]
    if len(errors) < LEAST or np.isnan(points[t, channel]):
        return np.full(len(LEVELS), np.nan)
    quantiles = np.quantile(errors[-WINDOW:], LEVELS)
    return (1 + points[t, channel]) * np.exp(sigma[t] * (quantiles - np.median(errors[-WINDOW:]))) - 1


def test_the_spread_is_that_of_the_last_errors_whose_bars_are_over():
    points, origins = some_points(), np.array([70, 85, 200, 350, 419])
    found = spread_of_errors(points, OHLCV, origins)
    for row, t in enumerate(origins):
        for channel in range(4):
            np.testing.assert_allclose(found[row, channel], slowly(points, t, channel), rtol=1e-12, atol=1e-14)
    assert np.isnan(found[0]).all() and not np.isnan(found[-1]).all()
    known = ~np.isnan(found)
    median = np.broadcast_to(points[origins][..., None], found.shape)
    np.testing.assert_allclose(found[..., 4][known[..., 4]], median[..., 4][known[..., 4]], atol=1e-15)


@pytest.mark.parametrize("origin", [150, 300])
def test_nothing_after_the_origin_moves_it_by_a_bit(origin):
    points = some_points()
    found = spread_of_errors(points, OHLCV, np.array([origin]))
    later = OHLCV.copy()
    later[origin + 1 :] *= 3.0
    others = points.copy()
    others[origin + 1 :] = 0.5
    for bars, told in ((later, others), (OHLCV[: origin + 1], points[: origin + 1])):
        again = spread_of_errors(told, bars, np.array([origin]))
        np.testing.assert_array_equal(found, again)
    together = spread_of_errors(others, later, np.array([100, origin, 400]))[1:2]
    np.testing.assert_array_equal(found, together)
