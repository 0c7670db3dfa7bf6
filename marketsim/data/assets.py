"""The asset class of a symbol, crypto or not: from its name and from the days on which it has bars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.data.calendars.calendar import weekday
from marketsim.data.calendars.zones import DAY
from marketsim.data.distinct import distinct
from marketsim.data.symbols import is_crypto

FIRST = 10_000  # bars that tell how far apart all are
WEEKS = 2  # that must be covered before bars tell anything
HABITUAL = 0.5  # share of the weeks in which a day has bars, if the market trades on it
RARE = 0.05  # if it does not


def asset_of(symbol: str, time: NDArray[np.datetime64], close: NDArray[np.float64]) -> tuple[bool, str | None]:
    """Whether a canonical symbol with bars at `time` `[T]` (UTC) is crypto; a note where list and bars disagree.

    What trades seven days a week is; what has no bars on Saturdays is not, whatever it is called. Bars that repeat the
    close before them, as a weekend filled with Friday's, are no trading. Few bars, or longer ones, tell nothing.
    """
    listed = is_crypto(symbol)
    traded = trades_all_week(time, close)
    if traded is None or traded == listed:
        return listed, None
    if traded:
        return True, f"{symbol}: has bars on all days of the week: taken as crypto (--asset stock says otherwise)"
    words = "is named like a coin, but has no bars on weekends: not taken as crypto (--asset crypto says otherwise)"
    return False, f"{symbol}: {words}"


def trades_all_week(time: NDArray[np.datetime64], close: NDArray[np.float64]) -> bool | None:
    """Whether a series has bars on Saturdays as on other days; None if unknown."""
    if len(time) < 2:
        return None
    spacing = float(np.median(np.diff(time[:FIRST]).astype("timedelta64[s]").astype(np.int64)))
    if spacing > 1.5 * DAY:
        return None
    every = max(1, int(DAY / max(spacing, 1) / 4))  # four looks at a day tell whether it has bars
    looks, prices = time[::every], close[::every]
    moved = np.append(True, prices[1:] != prices[:-1])
    days = distinct(looks[moved].astype("datetime64[D]"))
    weeks = (int((time[-1].astype("datetime64[D]") - time[0].astype("datetime64[D]")).astype(np.int64)) + 1) / 7
    if weeks < WEEKS:
        return None
    share = np.bincount(weekday(days), minlength=7) / weeks
    if (share >= HABITUAL).all():
        return True
    return False if share[5] <= RARE and (share[:4] >= HABITUAL).all() else None
