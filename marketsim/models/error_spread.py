"""The distribution of point forecasts' errors, from their own past errors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import LEVELS, MEDIAN
from marketsim.models.har import LIMIT, scales
from marketsim.models.rolling_quantile import log_moves, rolling_quantiles

WINDOW = 250  # errors
LEAST = 20  # errors; fewer do not carry nine quantiles

Array = NDArray[np.float64]


def spread_of_errors(points: Array, ohlcv: Array, origins: NDArray[np.int64]) -> Array:
    """Quantiles `[N, 4, Q]` around the point forecasts at `origins` `[N]`, NaN with fewer than 20 past errors.

    `points` `[T, 4]` are point forecasts of moves at each of the bars `ohlcv` `[T, 5]`, NaN where there is none. With
    `sigma` the range that `har` expects, see `marketsim.models.har`:

        u[s]     = log((1 + move[s]) / (1 + point[s])) / sigma[s]
        forecast = (1 + point[t]) * exp(sigma[t] * (quantile of u - median of u)) - 1

    The u are the last 250 whose bars, s + 1, are known at t. The median of what results is the point itself.
    """
    newest = int(origins.max())
    known = ohlcv[: newest + 1]
    logs = np.log1p(points[: newest + 1]).T
    sigma = scales(known, int(np.argmax(~np.isnan(logs).all(0))))
    errors = (log_moves(known) - logs[:, :-1]) / sigma[:-1]
    spread = np.full((len(origins), len(logs), len(LEVELS)), np.nan)
    for channel, own in enumerate(errors):
        at = np.flatnonzero(~np.isnan(own))
        counts = np.searchsorted(at, origins)
        enough = np.flatnonzero(counts >= LEAST)
        if len(enough):
            spread[enough, channel] = rolling_quantiles(own[None, at], counts[enough], WINDOW)[:, 0]
    spread -= spread[..., MEDIAN, None]
    center = logs[:, origins].T[..., None]
    quantiles: Array = np.expm1(np.clip(center + sigma[origins][:, None, None] * spread, -LIMIT, LIMIT))
    return quantiles
