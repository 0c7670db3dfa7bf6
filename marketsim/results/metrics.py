"""Figures of merit of per-bar returns and of forecasts: pure functions of arrays, oldest bar first.

Returns are fractions of one stake that is never added to: profits add up, they do not compound. NaN is not
allowed in. A figure that a series cannot carry (no spread, too few bars) is None.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.tolerance import without_rounding

Returns = NDArray[np.float64]

RESAMPLES = 2000
LEAST_BARS = 10  # fewer make too few blocks for an interval to mean anything
CONFIDENCE = 0.95
Z = 1.959964  # quantile of the normal at (1 + CONFIDENCE) / 2


def bootstrap_interval(returns: Returns, seed: int) -> tuple[float, float] | None:
    """The 95 % interval of the mean of `returns` `[N]`, by the moving-block bootstrap; None below 10 bars.

    Blocks of `ceil(N ** (1/3))` bars are drawn with replacement and cut to N bars. The middle of 2,000 resampled means
    is put around the mean, its ends moved outward by `sqrt(K / (K - 1)) * t / z` for K blocks, t and z the 97.5 %
    quantiles of Student's t with K - 1 degrees of freedom and of the normal: drawn from K blocks, means vary too
    little, and their spread is itself uncertain. Kuensch, "The Jackknife and the Bootstrap for General Stationary
    Observations", Annals of Statistics 17(3), 1989; Hesterberg, "What Teachers Should Know About the Bootstrap", The
    American Statistician 69(4), 2015, on narrowness. The same seed draws the same blocks for every series.
    """
    count = len(returns)
    if count < LEAST_BARS:
        return None
    block = math.ceil(count ** (1 / 3))
    blocks = math.ceil(count / block)
    starts = np.random.default_rng(seed).integers(0, count - block + 1, (RESAMPLES, blocks))
    total = np.concatenate([[0.0], np.cumsum(returns)])
    sums = total[starts + block] - total[starts]
    overhang = blocks * block - count
    ends = starts[:, -1] + block
    means = (sums.sum(1) - (total[ends] - total[ends - overhang])) / count
    means.sort()
    tail = round(RESAMPLES * (1 - CONFIDENCE) / 2)
    ends_off = means[[tail, -1 - tail]] - means.mean()
    low, high = returns.mean() + ends_off * _widening(blocks)
    return float(low), float(high)


def _widening(blocks: int) -> float:
    """What the ends are moved outward by; t by Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5)."""
    z, df = Z, blocks - 1  # 0.1 % off for 3 degrees of freedom, less for more
    t_by_z = 1 + (
        (z**2 + 1) / (4 * df)
        + (5 * z**4 + 16 * z**2 + 3) / (96 * df**2)
        + (3 * z**6 + 19 * z**4 + 17 * z**2 - 15) / (384 * df**3)
        + (79 * z**8 + 776 * z**6 + 1482 * z**4 - 1920 * z**2 - 945) / (92160 * df**4)
    )
    return t_by_z * math.sqrt(blocks / df)


def sharpe(returns: Returns, periods_per_year: int) -> float | None:
    """Annualized mean over standard deviation (Sharpe 1994), with no risk-free rate and N - 1 degrees of freedom."""
    if len(returns) < 2 or not without_rounding(spread := returns.std(ddof=1), _largest(returns)):
        return None
    return float(returns.mean() / spread * math.sqrt(periods_per_year))


def sortino(returns: Returns, periods_per_year: int) -> float | None:
    """Annualized mean over the root mean square of the losses (Sortino and Price 1994), target 0."""
    losses = np.minimum(without_rounding(returns, _largest(returns)), 0.0)
    downside = math.sqrt(float(np.mean(losses**2))) if len(returns) else 0.0
    if downside == 0:
        return None
    return float(returns.mean() / downside * math.sqrt(periods_per_year))


def max_drawdown(returns: Returns) -> float:
    """The largest fall of the summed returns from a peak, or from the start, as a fraction of the stake; >= 0."""
    equity = np.concatenate([[0.0], np.cumsum(returns)])
    falls = np.maximum.accumulate(equity) - equity
    return float(np.max(without_rounding(falls, _largest(equity))))


def _largest(amounts: Returns) -> float:
    """The largest of them, whatever its sign: what their rounding is measured by."""
    return float(np.max(np.abs(amounts), initial=0.0))
