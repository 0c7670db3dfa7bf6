"""The reality check: how often luck alone makes the best of several series look as good.

White, "A Reality Check for Data Snooping", Econometrica 68(5), 2000, in the studentized stepdown form of Romano and
Wolf, "Stepwise Multiple Testing as Formalized Data Snooping", Econometrica 73(4), 2005.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.results.blocks import RESAMPLES, Blocks, Floats
from marketsim.results.dated_profits import DatedProfits, ProfitTable
from marketsim.results.significance import CONFIDENCE, Interval

TOGETHER = 16  # series that are looked at together
DRAWN = 1 << 15  # block sums of resamples that are held at once
OVERLAP = math.sqrt(2 / 3)  # overlapping blocks know a variance with two thirds of the variance of separate ones


class RealityCheck(Struct, frozen=True):
    """What is left of K series once it is counted that all of them were tried."""

    p: Floats  # [K] one-sided: so often would the best of as many worthless series look as good; NaN without a t
    intervals: list[Interval | None]  # [K] of the means, which all hold at once in 95 % of cases

    @property
    def best(self) -> float | None:
        """The least of the p, which is that of the series with the largest t; None where no series has a t."""
        return None if np.isnan(self.p).all() else float(np.nanmin(self.p))


def reality_check(series: Iterable[DatedProfits], seed: int) -> RealityCheck:
    """Test the means of K series together, by the largest t among them.

    Dates, not bars of a series, are drawn in blocks of `ceil(D ** (1/3))`, so that series that move together count so.
    A mean is measured by the spread of its block sums, in every resample by that of the blocks drawn, which accounts
    for skewness (Goetze and Kuensch, "Second-order correctness of the blockwise bootstrap", Annals of Statistics 24,
    1996).

    Parameters
    ----------
    series
        The K series, on D dates together.
    seed
        Of the draws.

    Returns
    -------
    RealityCheck
        A series without two different block sums has no t: its p is NaN, and it does not count as tried.
    """
    table = ProfitTable.of(series)
    count = len(table.profits)
    p, found = np.full(count, np.nan), list[Interval | None]([None] * count)
    if table.dates < 2:
        return RealityCheck(p, found)
    blocks = Blocks.drawn(table.dates, seed)
    moments = _moments(table, blocks.length)
    bars, mean = moments.bars, moments.mean
    tested = np.flatnonzero((moments.variance > 1e-24) & (bars > 0))
    if blocks.blocks < 2 or not tested.size:
        return RealityCheck(p, found)
    error = np.sqrt(moments.variance[tested] * table.dates / blocks.length * blocks.blocks / (blocks.blocks - 1))
    t = mean[tested] * bars[tested] / error
    up = np.argsort(t, kind="stable")
    largest, widest = np.full(RESAMPLES, -np.inf), np.zeros(RESAMPLES)
    adjusted = np.empty(len(tested))
    for first in range(0, len(tested), TOGETHER):
        chunk = up[first : first + TOGETHER]
        some = tested[chunk]
        sums = _block_sums(np.nan_to_num(table.columns(some) - mean[some]), blocks.length) - moments.middle[some]
        drawn = _resampled_t(sums, blocks)
        widest = np.maximum(widest, np.abs(drawn).max(1))
        for column, k in enumerate(chunk):
            largest = np.maximum(largest, drawn[:, column])
            adjusted[k] = (1 + np.count_nonzero(largest >= t[k])) / (1 + RESAMPLES)
    p[tested[up[::-1]]] = np.maximum.accumulate(adjusted[up[::-1]])
    reach = float(np.sort(widest)[math.ceil(CONFIDENCE * RESAMPLES) - 1])  # in standard errors
    for k, half in zip(tested, reach * error / bars[tested], strict=True):
        found[k] = Interval(float(mean[k] - half), float(mean[k] + half), reach)
    return RealityCheck(p, found)


class _Moments(Struct, frozen=True):
    bars: NDArray[np.int64]  # [K] of each series
    mean: Floats  # [K] of its bars
    middle: Floats  # [K] the mean of its block sums, whose bars are taken about their mean
    variance: Floats  # [K] of the block sums


def _moments(table: ProfitTable, length: int) -> _Moments:
    count = len(table.profits)
    bars, (mean, middle, variance) = np.empty(count, np.int64), np.empty((3, count))
    for first in range(0, count, TOGETHER):
        # Never one of several alone: numpy adds a single column in another order.
        some = slice(max(0, min(first, count - TOGETHER)), first + TOGETHER)
        profits = table.columns(range(count)[some])
        bars[some] = np.count_nonzero(~np.isnan(profits), axis=0)
        mean[some] = np.where(bars[some] > 0, np.nansum(profits, axis=0) / np.maximum(bars[some], 1), 0.0)
        sums = _block_sums(np.nan_to_num(profits - mean[some]), length)
        middle[some] = sums.mean(0)
        variance[some] = ((sums - middle[some]) ** 2).mean(0)
    return _Moments(bars, mean, middle, variance)


def _block_sums(values: Floats, length: int) -> Floats:
    """Sums `[D - length + 1, K]` of all blocks."""
    total = np.concatenate([np.zeros((1, values.shape[1])), np.cumsum(values, axis=0)])
    sums: Floats = total[length:] - total[:-length]
    return sums


def _resampled_t(sums: Floats, blocks: Blocks) -> Floats:
    """The t `[R, K]` of each resample, of series whose blocks have `sums` `[I, K]` about their mean."""
    count = blocks.blocks
    # The t of the bars rests on overlapping blocks, whose variance is known better than that of a resample's blocks.
    # numpy adds a column whose numbers are neighbors in pairs, which rounds less.
    spread = (1 - OVERLAP) * count * (np.asfortranarray(sums) ** 2).mean(0)
    t = np.empty((RESAMPLES, sums.shape[1]))
    step = max(1, DRAWN // (count * sums.shape[1]))
    for first in range(0, RESAMPLES, step):
        drawn = sums.take(blocks.starts[first : first + step], axis=0)
        total = drawn.sum(1)
        own = (np.square(drawn, out=drawn).sum(1) - total**2 / count) * count / (count - 1)
        t[first : first + step] = total / np.sqrt(np.maximum(OVERLAP * own + spread, 1e-300))
    return t
