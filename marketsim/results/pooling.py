"""Pooling of several profit series by date, with an interval that accounts for their correlation."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from marketsim.results.blocks import Blocks
from marketsim.results.dated_profits import DatedProfits, ProfitTable
from marketsim.results.significance import LEAST_BARS, Interval, around

CELLS = 1 << 18  # profits of the table that are held at once


class Pooled(Struct, frozen=True):
    """The mean over all bars of several series."""

    mean: float
    interval: Interval | None
    bars: int
    dates: int


def pool(series: Iterable[DatedProfits], seed: int) -> Pooled:
    """The mean of several series' profits, with the interval of a bootstrap over dates.

    All series of a date are drawn together, in blocks of neighboring dates, so that a hundred symbols that move as one
    count as one. None for an interval where fewer than 10 dates earned or lost anything.
    """
    table = ProfitTable.of(series)
    bars, earned, active = np.zeros(table.dates), np.zeros(table.dates), 0
    step = max(1, CELLS // max(1, len(table.profits)))
    for first in range(0, table.dates, step):
        profits = table.rows(first, min(first + step, table.dates))
        bars[first : first + step] = np.count_nonzero(~np.isnan(profits), axis=1)
        earned[first : first + step] = np.nansum(profits, axis=1)
        active += int(np.count_nonzero((np.nan_to_num(profits) != 0).any(axis=1)))
    total = float(bars.sum())
    mean = float(earned.sum()) / total if total else 0.0
    interval = None
    if active >= LEAST_BARS:
        blocks = Blocks.drawn(len(bars), seed)
        drawn = blocks.sums(bars)
        # A resample may hold fewer bars than there are; what it earned beyond the mean is told by those that it holds.
        beyond = blocks.sums(earned - mean * bars) / np.where(drawn > 0, drawn, 1.0)
        interval = around(mean, beyond, blocks.blocks)
    return Pooled(mean, interval, int(total), len(bars))
