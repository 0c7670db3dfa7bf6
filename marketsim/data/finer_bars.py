"""Finer bars inside bars: which belong to which, whether any is missing, and whether they agree.

What a bar says of its open, high, low and close stays true; finer bars only say in which order the prices came. They
are used where none of them is missing and where they make the same bar, within a tolerance; then their extremes are set
to those of the bar. Adjusted bars have other prices than what was paid: there the finer ones are rescaled.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.timetable import Daily
from marketsim.data.calendars.zones import Stamps

TOLERANCE = 0.05  # of a bar's range, by which each of its prices may differ from what the finer bars make,
LEAST_TOLERANCE = 1e-4  # and as a fraction of the price, which is enough everywhere
KNOWN = 100  # finer bars, fewer of which do not tell whether trade is thin
SPARSE = 0.05  # share of bars that a thinly traded series lacks: where nothing was traded, there is none

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]


class Inside(Struct, frozen=True, eq=False):
    """The finer bars of N bars, oldest first, in prices of the bars.

    A bar of which none are used is its own only one. Where a bar has fewer than K, its close is repeated.
    """

    prices: Floats  # [N, K, 4] open, high, low, close
    count: Rows  # [N] finer bars; 1 for the bar itself
    used: Rows  # [N] which of the finer series; -1 for none
    first: Rows  # [N] the first finer bar, as a row of its series; 0 where none are used
    disagreeing: Bools  # [N] whether all finer bars were there, but made another bar
    rescaled: Bools  # [N]
    apart: Floats  # [N] largest difference of the four prices before anything was rescaled, a fraction; NaN without

    @classmethod
    def of(cls, bars: Bars, finer: Sequence[Bars], rows: Rows) -> Inside:
        """Those of the bars `rows` `[N]`, each of the finest of the `finer` series that covers it and agrees."""
        size = len(rows)
        used, first, last = np.full(size, -1), np.zeros(size, np.int64), np.ones(size, np.int64)
        disagreeing, rescaled = np.zeros(size, bool), np.zeros(size, bool)
        apart, factor = np.full(size, np.nan), np.ones(size)
        own = bars.ohlcv[rows, :4]
        for number, series in sorted(enumerate(finer), key=lambda pair: pair[1].timetable.spacing):
            begin, end = spans(bars, series, rows)
            open_ = np.flatnonzero((used < 0) & covered(bars, series, rows, begin, end))
            made = _made(series, begin[open_], end[open_])
            ratio = own[open_] / made
            plain, scaled = _agree(own[open_], made), _agree(own[open_], made * np.median(ratio, axis=1)[:, None])
            new = np.isnan(apart[open_])
            apart[open_[new]] = np.abs(ratio - 1).max(1)[new]
            disagreeing[open_] |= ~(plain | scaled)
            taken = open_[plain | scaled]
            used[taken], first[taken], last[taken] = number, begin[taken], end[taken]
            rescaled[open_] = scaled & ~plain
            factor[open_] = np.where(plain, 1.0, np.median(ratio, axis=1))
        disagreeing &= used < 0
        count = last - first
        prices = np.repeat(own[:, None], count.max(initial=1), axis=1)
        prices[:, 1:] = own[:, None, 3:]
        for number, series in enumerate(finer):
            mine = np.flatnonzero(used == number)
            place = np.arange(prices.shape[1])
            there = place < count[mine, None]
            at = np.minimum(first[mine, None] + place, len(series) - 1)
            found = _fitted(series.ohlcv[at, :4] * factor[mine, None, None], there, own[mine])
            prices[mine] = np.where(there[..., None], found, own[mine, None, 3:])
        return cls(prices, count, used, first * (used >= 0), disagreeing, rescaled & (used >= 0), apart)


def spans(bars: Bars, finer: Bars, rows: Rows) -> tuple[Rows, Rows]:
    """The finer bars from `[N]` up to `[N]` that lie in each of the bars `rows` `[N]`, whether or not all are there."""
    begins, ends = _hours(bars, rows)
    first = np.searchsorted(finer.time, begins - _early(bars, finer), "left")
    return first, np.maximum(np.searchsorted(finer.time, ends, "left"), first)


def covered(bars: Bars, finer: Bars, rows: Rows, first: Rows, last: Rows, least: int = 2) -> Bools:
    """Whether none of the finer bars `first` `[N]` to `last` `[N]` of the bars `rows` `[N]` is missing.

    There are at `least` so many.
    """
    begins, ends = _hours(bars, rows)
    if not len(finer):
        return np.zeros(len(rows), bool)
    following = finer.timetable.following(finer.time)
    late = np.append(finer.time[1:] > following[:-1], False)
    holes = np.cumsum(late) - late
    at, to = np.minimum(first, len(finer) - 1), np.maximum(last - 1, 0)
    due = finer.timetable.following(begins - _early(bars, finer) - np.timedelta64(1, "s"))
    sparse = (to >= KNOWN) & (holes[to] > SPARSE * to)  # by what was seen up to then
    slack = ((ends - begins).astype(np.int64) * SPARSE * sparse).astype("timedelta64[s]")
    from_start, to_end = finer.time[at] <= due + slack, following[to] >= ends - slack
    whole: Bools = (last - first >= least) & from_start & to_end & (sparse | (holes[to] == holes[at]))
    return whole


def _hours(bars: Bars, rows: Rows) -> tuple[Stamps, Stamps]:
    """The trading hours of the bars: for daily ones those of their session."""
    timetable, times = bars.timetable, bars.time[rows]
    if isinstance(timetable, Daily) and not timetable.calendar.all_day:
        return timetable.calendar.window(timetable.dates(times))
    return timetable.starts(times), timetable.ends(times)


def _early(bars: Bars, finer: Bars) -> np.timedelta64:
    """By how much a finer bar may begin before a session, if it reaches into it: that of 9:00 has trades of 9:30."""
    has_hours = isinstance(bars.timetable, Daily) and not bars.timetable.calendar.all_day
    return np.timedelta64(finer.timetable.spacing - 1 if has_hours else 0, "s")


def _made(finer: Bars, first: Rows, last: Rows) -> Floats:
    """The bars `[M, 4]` that the finer bars `first` to `last` make."""
    if not len(first):
        return np.empty((0, 4))
    bounds = np.stack([first, last], 1).ravel()
    within = np.append(finer.ohlcv[:, :4], np.full((1, 4), np.nan), axis=0)  # so that the last bound is a row
    high, low = (extreme.reduceat(within[:, i], bounds)[::2] for extreme, i in ((np.maximum, 1), (np.minimum, 2)))
    return np.stack([finer.open[first], high, low, finer.close[last - 1]], 1)


def _agree(own: Floats, made: Floats) -> Bools:
    """Whether bars `[M, 4]` are the same within the tolerance."""
    allowed = np.maximum(TOLERANCE * (own[:, 1] - own[:, 2]), LEAST_TOLERANCE * own[:, 3])
    return np.asarray((np.abs(own - made) <= allowed[:, None]).all(1))


def _fitted(prices: Floats, there: Bools, own: Floats) -> Floats:
    """Finer bars `[M, K, 4]` whose extremes, first open and last close are set to those of their bar `[M, 4]`."""
    open_, high, low, close = own.T[:, :, None]
    row, last = np.arange(len(own)), there.sum(1) - 1
    top = np.where(there, prices[..., 1], -np.inf)
    bottom = np.where(there, prices[..., 2], np.inf)
    found = np.clip(prices, low[..., None], high[..., None])
    found[:, 0, 0], found[row, last, 3] = open_[:, 0], close[:, 0]
    found[..., 1] = np.where(top == top.max(1, keepdims=True), high, found[..., 1])
    found[..., 2] = np.where(bottom == bottom.min(1, keepdims=True), low, found[..., 2])
    found[..., 1] = found.max(2)
    found[..., 2] = found.min(2)
    return found
