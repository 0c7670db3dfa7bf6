"""Intervals of Sharpe and Sortino ratios, from the same resamples as the mean's."""

from __future__ import annotations

import math

import numpy as np

from marketsim.execution.tolerance import without_rounding
from marketsim.results.blocks import Blocks, Floats
from marketsim.results.significance import TAIL, Interval, around, enough


def sharpe_interval(returns: Floats, ratio: float | None, periods_per_year: int, seed: int) -> Interval | None:
    """The 95 % interval of the Sharpe `ratio` of `returns` `[N]`, oldest first; None where they carry none."""
    if ratio is None or not enough(returns):
        return None
    blocks, count = Blocks.drawn(len(returns), seed), len(returns)
    mean, square = (blocks.sums(values) / count for values in (returns, returns**2))
    return _ratio_interval(ratio, mean, (square - mean**2) * count / (count - 1), periods_per_year, blocks)


def sortino_interval(returns: Floats, ratio: float | None, periods_per_year: int, seed: int) -> Interval | None:
    """The 95 % interval of the Sortino `ratio`; None, too, where resamples without a loss have none."""
    if ratio is None or not enough(returns):
        return None
    blocks, count = Blocks.drawn(len(returns), seed), len(returns)
    mean, downside = (blocks.sums(values) / count for values in (returns, np.minimum(returns, 0.0) ** 2))
    return _ratio_interval(ratio, mean, downside, periods_per_year, blocks)


def _ratio_interval(
    ratio: float, mean: Floats, spread: Floats, periods_per_year: int, blocks: Blocks
) -> Interval | None:
    """Of resampled means `[R]` over the roots of resampled squares `[R]`; without spread there is no ratio."""
    spread = without_rounding(spread)
    carried = spread > 0
    if np.count_nonzero(~carried) > TAIL:
        return None
    resampled = mean[carried] / np.sqrt(spread[carried]) * math.sqrt(periods_per_year)
    ordered = np.sort(resampled)
    middle = (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2  # np.median imports numpy.ma
    filled = np.full(len(mean), middle)  # the few that carry no ratio lean to neither side
    filled[carried] = resampled
    return around(ratio, filled, blocks.blocks)
