"""The naive baseline: the next bar looks like the last one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import LARGEST_MOVE, MEDIAN
from marketsim.forecasting.series import Series
from marketsim.models.past_model import PastModel
from marketsim.models.rolling_quantile import WINDOW, log_moves, rolling_quantiles


class LastBar(PastModel):
    """Persistence: open and close at the last close, high and low as far from it as the last bar's were.

    The median is `High[t] / Close[t-1] - 1`, low likewise, and 0 for open and close. The other quantiles lie
    around it as the method's own last 250 log errors lie around their median (empirical intervals).
    """

    name = "last-bar"
    minimum_bars = 3
    parameters: ClassVar[Mapping[str, float | int | str]] = {"window": WINDOW}

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Quantiles of moves `[N, 4, Q]` at `origins` `[N]`; see `HistoryModel.forecast`."""
        moves = log_moves(series.ohlcv)
        points = moves.copy()
        points[[0, 3]] = 0.0  # open and close
        errors = rolling_quantiles(moves[:, 1:] - points[:, :-1], origins - 1, WINDOW)
        around = errors - errors[..., MEDIAN, None]
        return np.minimum(np.expm1(points[:, origins - 1].T[..., None] + around), LARGEST_MOVE)
