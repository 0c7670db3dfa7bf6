"""Pooling of several profit series by date, with an interval that accounts for their correlation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct

from marketsim.results.blocks import Blocks, Floats
from marketsim.results.significance import LEAST_BARS, Interval, around


class DatedProfits(Struct, frozen=True):
    """Profits of one series, by the names of its bars."""

    times: Sequence[str]  # [N] of the bars, oldest first
    profits: Floats  # [N]


class Pooled(Struct, frozen=True):
    """The mean over all bars of several series."""

    mean: float
    interval: Interval | None
    bars: int
    dates: int


def side_by_side(series: Sequence[DatedProfits]) -> Floats:
    """The series as `[D, K]` over all D dates that one of them has, oldest first; NaN where a series has no bar."""
    rows = {time: row for row, time in enumerate(sorted({time for part in series for time in part.times}))}
    table = np.full((len(rows), len(series)), np.nan)
    for k, record in enumerate(series):
        table[[rows[time] for time in record.times], k] = record.profits
    return table


def pool(profits: Floats, seed: int) -> Pooled:
    """The mean of profits `[D, K]`, NaN where a series has no bar, with the interval of a bootstrap over dates.

    All series of a date are drawn together, in blocks of neighboring dates, so that a hundred symbols that move as one
    count as one. None for an interval where fewer than 10 dates earned or lost anything.
    """
    known = ~np.isnan(profits)
    bars, earned = known.sum(1).astype(float), np.nansum(profits, axis=1)
    total = float(bars.sum())
    mean = float(earned.sum()) / total if total else 0.0
    active = np.count_nonzero((np.nan_to_num(profits) != 0).any(axis=1))
    interval = None
    if active >= LEAST_BARS:
        blocks = Blocks.drawn(len(bars), seed)
        drawn = blocks.sums(bars)
        # A resample may hold fewer bars than there are; what it earned beyond the mean is told by those that it holds.
        beyond = blocks.sums(earned - mean * bars) / np.where(drawn > 0, drawn, 1.0)
        interval = around(mean, beyond, blocks.blocks)
    return Pooled(mean, interval, int(total), len(bars))
