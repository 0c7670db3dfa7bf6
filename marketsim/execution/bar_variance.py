"""The expected variance inside a bar and its uncertainty, from the forecast's quantiles.

The high of a continuous martingale over a bar of variance v lies `sqrt(v) * |N(0, 1)|` above its open, by the
reflection principle, and the low as far below. Where v is known but for the error that `fill_probability.py` assumes,
bent and of median 1, the distance is `sqrt(v) * |N| * exp(spread * error / 2)`: the median of the forecast highs and
lows tells v, and how far their upper decile lies beyond it tells the spread. A model that learns its quantiles from
past bars learns both from them. How far the error is bent they cannot tell: a decile moves by less than it is known to.

A bar that opens away from the last close moves its high and low with it, but that is over before an order waits: the
gap is read off the quantiles of the open, as of a normal, and what it adds to both quantiles is taken out again.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import HIGH, LEVELS, LOW, MEDIAN, OPEN

DECILE = LEVELS.index(0.9)
# of log |N| + spread * error / 2, by spread: the median, and how far the 0.9 quantile lies beyond it
SPREADS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 1.6)
LOG_MEDIANS = (-0.3938, -0.3932, -0.3978, -0.4068, -0.4189, -0.4328, -0.4473, -0.4615, -0.4749)
LOG_TAILS = (0.8915, 0.9027, 0.9359, 0.9897, 1.0611, 1.1463, 1.2416, 1.3441, 1.4520)
# what a gap adds to the log median of |N|, by the gap's deviation; to the upper decile both add as their squares do
GAPS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0, 1.5)
GAP_MEDIANS = (0.0, 0.005, 0.0196, 0.0413, 0.0637, 0.0828, 0.0982, 0.1198, 0.1333, 0.1503)
DECILES_APART = 2.5631  # of a normal, in deviations
TOP = 1.6449  # the 0.9 quantile of |N|
LARGEST = np.hypot(1, GAPS[-1])
FLOOR = 1e-6  # least move of a high or a low, a hundredth of a basis point

Array = NDArray[np.float64]


def path_variance(moves: Array) -> tuple[Array, Array]:
    """The median variance of the log price between open and close, and the standard deviation of its log, each `[N]`.

    `moves` `[N, 4, Q]` are quantiles of moves, see `forecasts.Forecasts`. Highs and lows count alike, so that a
    drift cancels. Gaps of more than 1.5 times the path's own deviation count as ones of 1.5.
    """
    up, down = np.log1p(moves[:, HIGH]), -np.log1p(np.maximum(moves[:, LOW, ::-1], FLOOR - 1))
    median, top = (np.maximum((up[:, i] + down[:, i]) / 2, FLOOR) for i in (MEDIAN, DECILE))
    opens = np.log1p(np.maximum(moves[:, OPEN], FLOOR - 1))
    gap = (opens[:, DECILE] - opens[:, -1 - DECILE]) / DECILES_APART
    by_median = np.array(GAPS) * np.exp(-LOG_MEDIANS[0] - np.array(GAP_MEDIANS))
    log_median = np.log(median) - np.interp(np.interp(gap / median, by_median, GAPS), GAPS, GAP_MEDIANS)
    log_top = np.log(np.maximum(top**2 - (TOP * gap) ** 2, (top / LARGEST) ** 2)) / 2
    spread = np.interp(log_top - log_median, LOG_TAILS, SPREADS)
    variance: Array = np.exp(2 * (log_median - np.interp(spread, SPREADS, LOG_MEDIANS)))
    return variance, spread
