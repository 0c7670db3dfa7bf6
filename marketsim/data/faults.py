"""The rules for times and numbers of bars."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from marketsim.data.calendars.zones import is_shown_twice
from marketsim.errors import DataError

CHANNELS = ("open", "high", "low", "close")
COLUMNS = (*CHANNELS, "volume")
TWICE = "occurs twice"


def check_order(time: NDArray[np.datetime64], place: Callable[[int], str], column: str) -> None:
    """DataError for a time in `time` [T] that comes after a later one."""
    if (time[1:] >= time[:-1]).all():  # never true of a NaT
        return
    rows = np.flatnonzero(~np.isnat(time))
    back = np.flatnonzero(time[rows][1:] < time[rows][:-1])
    if len(back):
        before, row = rows[back[0]], rows[back[0] + 1]
        raise DataError(
            f"{place(int(row))}, column '{column}': {time[row]} comes after {time[before]}; "
            "stamps must increase, oldest first"
        )


def bad_bars(
    time: NDArray[np.datetime64], ohlcv: NDArray[np.float64], unreadable: Mapping[int, str], column: str
) -> tuple[NDArray[np.intp], str]:
    """The rows that are no bars or have the stamp, in `column`, of the bar before; what is wrong with the first.

    `unreadable`: row -> words, for cells that are no numbers.
    """
    faulty = np.zeros(len(time), bool)  # numpy's functions of sets would import its masked arrays at every start
    faulty[bad_rows(ohlcv)] = True
    faulty[[*unreadable]] = True
    kept = np.flatnonzero(~faulty)
    stamps = time[kept]
    repeated = kept[1:][stamps[1:] == stamps[:-1]]
    bad = np.sort(np.concatenate([np.flatnonzero(faulty), repeated]))
    if not len(bad):
        return bad, ""
    first = int(bad[0])
    if first in unreadable:
        return bad, unreadable[first]
    return bad, fault(ohlcv[first]) if faulty[first] else f"column '{column}': {time[first]} {TWICE}"


def remedy(wrong: str, time: np.datetime64, zone: str | None) -> str:
    """What to do about a bar at `time` of which `wrong` is wrong; `zone` is the one that its file states."""
    if zone is not None and wrong.endswith(TWICE) and is_shown_twice(time, zone):
        return f": the clocks of {zone} show that hour twice; stamps with offsets, or in UTC, tell the two apart"
    return " (--on-bad-bars drop leaves bad rows out)"


def bad_rows(ohlcv: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows of `ohlcv` [T, 5] that break a rule, in their order."""
    open_, high, low, close, volume = ohlcv.T
    good = (low > 0) & (low <= open_) & (low <= close) & (high >= open_) & (high >= close) & (high < np.inf)
    return np.flatnonzero(~good | (volume < 0) | np.isinf(volume))


def fault(row: NDArray[np.float64]) -> str:
    """The first rule that a bad `row` [5] breaks: column, value and rule in words."""
    open_, high, low, close, volume = row
    rules = [
        (name, value, not 0 < value < np.inf, "is not a positive, finite price")
        for name, value in zip(CHANNELS, row, strict=False)
    ]
    rules += [
        ("high", high, high < low, "is below the low"),
        ("high", high, high < max(open_, close), "is below the open or the close"),
        ("low", low, low > min(open_, close), "is above the open or the close"),
        ("volume", volume, volume < 0 or np.isinf(volume), "is negative or infinite"),
    ]
    return next(f"column '{name}': {value} {words}" for name, value, wrong, words in rules if wrong)
