"""Repeated bars: a weekend filled with Friday's bar, a constant price for days."""

from __future__ import annotations

import numpy as np

from marketsim.data.bars import Bars
from marketsim.data.calendars.calendar import weekday
from marketsim.data.calendars.zones import DAY
from marketsim.data.present import without_midnight


def repeated(bars: Bars) -> tuple[str, ...]:
    """A note of the bars that repeat the one before, or its close all through.

    Of bars shorter than a day, only those that moved and are repeated in all prices: a quiet minute is none.
    """
    close = bars.close
    rows = np.flatnonzero(close[1:] == close[:-1]) + 1  # of what is left, all that can repeat a bar
    now, before = bars.ohlcv[rows, :4], bars.ohlcv[rows - 1, :4]
    same = (now == before).all(axis=1)
    if len(bars) > 1 and np.median(np.diff(bars.time).astype("timedelta64[s]").astype(np.int64)) >= DAY:
        same |= (now == before[:, 3:]).all(axis=1)
    else:
        same &= now[:, 1] > now[:, 2]
    rows = rows[same]
    if not len(rows):
        return ()
    weekend = int((weekday(bars.time[rows].astype("datetime64[D]")) >= 5).sum())
    count = f"{len(rows):,} bars of {len(bars):,} repeat" if len(rows) > 1 else f"1 bar of {len(bars):,} repeats"
    where = f", {weekend:,} on weekends" if weekend else ""
    first = without_midnight(bars.time[rows[0]])
    return (f"{bars.symbol}: {count} the one before{where}, the first on {first}",)
