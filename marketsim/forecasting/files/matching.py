"""Matching a symbol's forecasts to its bars, and whether each was made in time."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.timetable import session_opens
from marketsim.data.present import without_midnight
from marketsim.errors import DataError
from marketsim.forecasting.files.symbol_forecasts import Stamps, SymbolForecasts

Rows = NDArray[np.int64]
Flags = NDArray[np.bool_]

NONE = -1  # of rows and of positions


class Matched(Struct, frozen=True, eq=False):
    """The forecasts that belong to T bars."""

    rows: Rows  # [T] of the forecast that was made at each bar of the bar after it, NONE where there is none
    late: Flags  # [T] there is one, but it was made after its bar had ended, so that it does not count
    in_time: Flags  # [T] it was made before its bar opened, says the file
    dated: bool  # whether the file says when its forecasts were made
    further: int  # forecasts of bars beyond the next one, which are left out
    moved: int  # forecasts of a time before the next bar, such as a holiday, which are taken as of that bar
    without_bar: int  # forecasts of times between the first bar and the last at which there is no bar


def match(found: SymbolForecasts, bars: Bars) -> Matched:
    """Hold the forecasts of a symbol against its bars.

    The newest bar's forecast is of the bar that its calendar has next. DataError where a forecast was not made before
    its bar, where two are of one bar, and where none belongs to any of the bars.
    """
    count = len(bars)
    origin, bar = _positions(found.origin, bars), _positions(found.bar, bars)
    has_origin, has_bar = ~np.isnat(found.origin), ~np.isnat(found.bar)
    if len(wrong := np.flatnonzero(has_origin & has_bar & (found.origin >= found.bar))):
        row = int(wrong[0])
        raise DataError(
            f"{found.place(row)}: its origin, {_shown(found.origin[row])}, is not before the bar that it forecasts, "
            f"{_shown(found.bar[row])}: an origin is the last bar known"
        )
    at = np.where(has_origin, origin, np.where(bar > 0, bar - 1, NONE))
    at[at >= count] = NONE
    following = bar == at + 1
    if len(newest := np.flatnonzero(has_origin & has_bar & (at == count - 1))):  # whatever the calendar expects
        following[newest[np.argmin(found.bar[newest])]] = True
    own = (at != NONE) & (following | ~has_bar)
    rows = np.full(count, NONE)
    for row in np.flatnonzero(own).tolist():
        if rows[at[row]] != NONE:
            raise DataError(
                f"{found.place(row)}: a second forecast at {_shown(bars.time[at[row]])}, the first is "
                f"{found.place(int(rows[at[row]]))}"
            )
        rows[at[row]] = row
    if not own.any():
        raise _nowhere(found, bars)
    nearest = _of_holidays(found, bars, at, has_origin & has_bar & (at != NONE) & ~own)
    moved = nearest[rows[at[nearest]] == NONE]
    rows[at[moved]] = moved
    late, in_time = _timeliness(found, bars, rows)
    stamps = np.where(has_origin, found.origin, found.bar)
    inside = (stamps >= bars.time[0]) & (stamps <= bars.time[-1]) & (at == NONE) & ~((bar == 0) & ~has_origin)
    return Matched(
        rows=np.where(late, NONE, rows),
        late=late,
        in_time=in_time,
        dated=bool((~np.isnat(found.made_at)).any()),
        further=int(np.count_nonzero((at != NONE) & ~own)) - len(moved),
        moved=len(moved),
        without_bar=int(np.count_nonzero(inside)),
    )


def _of_holidays(found: SymbolForecasts, bars: Bars, at: Rows, other: Flags) -> Rows:
    """Of the `other` forecasts, the earliest at each of the origins `at` `[R]` that is of a time before the next bar.

    A library that counts weekdays has forecasts of holidays, on which there is no bar.
    """
    opens = np.append(bars.time[1:], bars.next_opens(1)).astype("datetime64[ns]")
    rows = np.flatnonzero(other)
    rows = rows[found.bar[rows] < opens[at[rows]]]
    rows = rows[np.argsort(found.bar[rows], kind="stable")]
    _, first = np.unique(at[rows], return_index=True)
    return rows[first]


def _positions(stamps: Stamps, bars: Bars) -> Rows:
    """Indices of the bars that open at `stamps`, T of the one after the newest; NONE where no bar does.

    Bars that are called by their date are found by it, and by any hour of a session that does not last all day: where
    it does, an hour may be that of another zone's midnight, and the date another bar's.
    """
    timetable, opens = bars.timetable, np.append(bars.time, bars.next_opens(1))
    known = np.flatnonzero(~np.isnat(stamps))
    wanted: Stamps = stamps[known]
    days: Stamps = wanted.astype("datetime64[D]")
    dated = bool((days == wanted).all())
    if timetable.named_by_date and (dated or not timetable.calendar.all_day):
        wanted = days if dated else timetable.dates(wanted.astype("datetime64[s]"))
        opens = timetable.dates(opens)
    else:
        opens = opens.astype("datetime64[ns]")
    place = np.minimum(np.searchsorted(opens, wanted), len(opens) - 1)
    found = np.full(len(stamps), NONE)
    found[known] = np.where(opens[place] == wanted, place, NONE)
    return found


def _timeliness(found: SymbolForecasts, bars: Bars, rows: Rows) -> tuple[Flags, Flags]:
    """Which of the forecasts `rows` `[T]` were made after their bar had ended, and which before it opened.

    A `made_at` that is a date may be any time of that day.
    """
    late, in_time = np.zeros(len(rows), bool), np.zeros(len(rows), bool)
    known = found.made_at[~np.isnat(found.made_at)]
    day = np.timedelta64(1 if (known.astype("datetime64[D]") == known).all() else 0, "D")
    at = np.flatnonzero(rows != NONE)
    made_at = found.made_at[rows[at]]
    opens = np.append(bars.time[1:], bars.next_opens(1))[at]
    late[at] = made_at > bars.timetable.ends(opens)  # never true of NaT, as below
    in_time[at] = made_at + day <= session_opens(bars.timetable, opens)
    in_time[-1] |= (
        rows[-1] != NONE and bars.read_at <= session_opens(bars.timetable, bars.next_opens(1))[0]
    )  # it is there already
    return late, in_time


def _nowhere(found: SymbolForecasts, bars: Bars) -> DataError:
    """None of the forecasts belongs to any of the bars."""
    origins = not np.isnat(found.origin).all()
    stamps = found.origin if origins else found.bar
    known = stamps[~np.isnat(stamps)]
    what = "origins" if origins else "bars"
    names = bars.names()
    return DataError(
        f"{bars.symbol}: none of the {len(known):,} {what} in {found.place(0).rpartition(', ')[0]}, "
        f"{_shown(known.min())} to {_shown(known.max())}, is a bar; there are bars from {names[0]} to {names[-1]} "
        "(--timezone is of stamps without one)"
    )


def _shown(stamp: np.datetime64) -> str:
    return without_midnight(stamp.astype("datetime64[s]"))
