"""The significance of a mean: its interval, the smallest edge, and the bars that an edge needs."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct

from marketsim.execution.tolerance import without_rounding
from marketsim.results.blocks import RESAMPLES, Blocks, Floats
from marketsim.settings.choices import BASIS_POINTS

LEAST_BARS = 10  # fewer make too few blocks for an interval to mean anything
CONFIDENCE = 0.95
Z = 1.959964  # quantile of the normal at (1 + CONFIDENCE) / 2
POWER = 0.841621  # its quantile at 80 %
TAIL = round(RESAMPLES * (1 - CONFIDENCE) / 2)  # resamples beyond either end of an interval


class Interval(Struct, frozen=True):
    """The 95 % interval of a figure."""

    low: float
    high: float
    reach: float = Z  # standard errors from the middle to either end: more where several intervals hold at once

    @property
    def smallest_edge(self) -> float:
        """The least mean that bars such as these show in 4 of 5 cases, in the unit of the interval.

        It is 2.8 standard errors, 1.96 for the interval to exclude zero and 0.84 for a power of 80 %; a standard error
        is the half of the interval over its `reach`, which takes the place of the 1.96.
        Bloom, "Minimum Detectable Effects", Evaluation Review 19(5), 1995.
        """
        return (self.reach + POWER) * (self.high - self.low) / (2 * self.reach)

    def bars_for(self, edge: float, bars: int) -> int:
        """How many bars as these `bars` an `edge` (> 0, in the unit of the interval) would need to be shown."""
        return math.ceil(bars * (self.smallest_edge / edge) ** 2)


def mean_interval(returns: Floats, seed: int) -> Interval | None:
    """The 95 % interval of the mean of `returns` `[N]`, by the moving-block bootstrap.

    None where fewer than 10 bars earned or lost anything. Blocks of `ceil(N ** (1/3))` bars are drawn with replacement
    and cut to N bars. The middle of 2,000 resampled means is put around the mean, its ends moved outward by
    `sqrt(K / (K - 1)) * t / z` for K blocks, t and z the 97.5 % quantiles of Student's t with K - 1 degrees of freedom
    and of the normal: drawn from K blocks, means vary too little, and their spread is itself uncertain. Hesterberg,
    "What Teachers Should Know About the Bootstrap", The American Statistician 69(4), 2015, on narrowness.
    """
    if not enough(returns):
        return None
    blocks = Blocks.drawn(len(returns), seed)
    return around(float(returns.mean()), blocks.sums(returns) / len(returns), blocks.blocks)


def in_bps(interval: Interval | None) -> Interval | None:
    """An interval of fractions of the stake in basis points."""
    return (
        None
        if interval is None
        else Interval(BASIS_POINTS * interval.low, BASIS_POINTS * interval.high, interval.reach)
    )


def enough(returns: Floats) -> bool:
    """Whether something was earned or lost on as many bars as an interval needs."""
    return int(np.count_nonzero(without_rounding(returns))) >= LEAST_BARS


def around(figure: float, resampled: Floats, blocks: int) -> Interval:
    """The middle of a figure's resamples `[R]` put around it, its ends moved outward for so few `blocks`."""
    ends = np.sort(resampled)[[TAIL, -1 - TAIL]] - resampled.mean()
    low, high = figure + ends * widening(blocks)
    return Interval(float(low), float(high))


def widening(blocks: int) -> float:
    """What the ends are moved outward by; t by Cornish and Fisher's expansion (Abramowitz and Stegun 26.7.5)."""
    z, df = Z, blocks - 1  # 0.1 % off for 3 degrees of freedom, less for more
    t_by_z = 1 + (
        (z**2 + 1) / (4 * df)
        + (5 * z**4 + 16 * z**2 + 3) / (96 * df**2)
        + (3 * z**6 + 19 * z**4 + 17 * z**2 - 15) / (384 * df**3)
        + (79 * z**8 + 776 * z**6 + 1482 * z**4 - 1920 * z**2 - 945) / (92160 * df**4)
    )
    return t_by_z * math.sqrt(blocks / df)
