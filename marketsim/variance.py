"""How much a bar was expected to move inside, and how sure that was: read off the forecast's quantiles.

The high of a continuous martingale over a bar of variance v lies `sqrt(v) * |N(0, 1)|` above its open, by the
reflection principle, and the low as far below. Where v is known but for a log-normal error, the distance is
`sqrt(v) * |N| * exp(spread * N' / 2)`: the median of the forecast highs and lows tells v, and how far their upper
decile lies beyond it tells the spread. A model that learns its quantiles from past bars learns both from them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasts import HIGH, LEVELS, LOW, MEDIAN

DECILE = LEVELS.index(0.9)
# of log |N| + spread N' / 2, by spread: the median, and how far the 0.9 quantile lies beyond it
SPREADS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6)
LOG_MEDIANS = (-0.3938, -0.3965, -0.4042, -0.4160, -0.4304, -0.4460, -0.4615, -0.4762, -0.4899)
LOG_TAILS = (0.8915, 0.9027, 0.9360, 0.9897, 1.0600, 1.1428, 1.2347, 1.3331, 1.4362)
FLOOR = 1e-6  # least move of a high or a low, a hundredth of a basis point

Array = NDArray[np.float64]


def path_variance(moves: Array) -> tuple[Array, Array]:
    """The variance of the log price between open and close, and the standard deviation of its log, each `[N]`.

    `moves` `[N, 4, Q]` are quantiles of moves, see `forecasts.Forecasts`. Highs and lows count alike, so that a
    drift cancels. Gaps before the open are not taken out.
    """
    up, down = np.log1p(moves[:, HIGH]), -np.log1p(np.maximum(moves[:, LOW, ::-1], FLOOR - 1))
    log_median, log_top = (np.log(np.maximum((up[:, i] + down[:, i]) / 2, FLOOR)) for i in (MEDIAN, DECILE))
    spread = np.interp(log_top - log_median, LOG_TAILS, SPREADS)
    variance: Array = np.exp(2 * (log_median - np.interp(spread, SPREADS, LOG_MEDIANS)))
    return variance, spread
