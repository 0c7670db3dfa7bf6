"""The baseline of recent quantiles: the next bar is drawn from the recent ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import LARGEST_MOVE, LEVELS
from marketsim.forecasting.series import Series
from marketsim.models.past_model import PastModel

WINDOW = 250  # bars
BLOCK = 256  # origins sorted at once: about 4 MB for 500 values of 4 channels


class RollingQuantile(PastModel):
    """Empirical quantiles of the last 250 log moves `log(X[s+1] / Close[s])`, each channel by itself."""

    name = "rolling-quantile"
    parameters: ClassVar[Mapping[str, float | int | str]] = {"window": WINDOW}

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Quantiles of moves `[N, 4, Q]` at `origins` `[N]`; see `HistoryModel.forecast`."""
        return np.minimum(np.expm1(rolling_quantiles(log_moves(series.ohlcv), origins, WINDOW)), LARGEST_MOVE)


def log_moves(ohlcv: NDArray[np.float64]) -> NDArray[np.float64]:
    """`[4, T - 1]`: column s is the log of bar s + 1 over the close of bar s."""
    logs = np.log(np.ascontiguousarray(ohlcv[:, :4].T))
    moves: NDArray[np.float64] = logs[:, 1:] - logs[3, :-1]
    return moves


def rolling_quantiles(values: NDArray[np.float64], ends: NDArray[np.int64], window: int) -> NDArray[np.float64]:
    """Quantiles `[N, C, Q]` of columns `end - window .. end - 1` of `values` `[C, S]`, for every end `[N]`.

    Columns before the first do not count; every end is at least 1. Linear between order statistics
    (Hyndman and Fan 1996, definition 7); nothing but the window's own columns enters.
    """
    padded = np.concatenate([np.full((len(values), window), np.inf), values], axis=1)
    windows = np.lib.stride_tricks.sliding_window_view(padded, window, axis=1)
    quantiles = np.empty((len(ends), len(values), len(LEVELS)))
    for start in range(0, len(ends), BLOCK):
        block = ends[start : start + BLOCK]
        ordered = np.sort(windows[:, block], axis=-1)
        place = (np.minimum(block, window)[:, None] - 1) * np.array(LEVELS)
        below = np.floor(place)
        low = np.take_along_axis(ordered, below.astype(np.int64)[None], -1)
        high = np.take_along_axis(ordered, np.ceil(place).astype(np.int64)[None], -1)
        quantiles[start : start + BLOCK] = (low + (high - low) * (place - below)).transpose(1, 0, 2)
    return quantiles
