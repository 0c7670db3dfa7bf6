"""Longer bars built from shorter ones, by the sessions of their calendar."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.calendar import WEEKDAYS, Calendar, weekday
from marketsim.data.calendars.regularity import make_timetable
from marketsim.data.calendars.timeframe import Timeframe, parse_timeframe, timeframe_of
from marketsim.data.calendars.timetable import Daily, Timetable
from marketsim.data.calendars.zones import Stamps, to_local
from marketsim.data.finer_bars import covered, spans
from marketsim.errors import DataError, UsageError


def resample(bars: Bars, timeframe: str) -> Bars:
    """The bars of a longer timeframe that `bars` make.

    Parameters
    ----------
    bars
        Of a timeframe that divides the longer one.
    timeframe
        Such as "1h", "4h", "1d", "1w" or "1mo". Days are sessions of the calendar and named by their dates; shorter
        bars begin at the open of the session, around the clock at whole multiples of their length in UTC; weeks begin
        on Monday.

    Returns
    -------
    Bars
        Only those of which no shorter bar is missing; a note says how many are left out. A series that lacks more than
        one bar in twenty is thinly traded: there a missing bar is one without trades.

    Raises
    ------
    UsageError
        `timeframe` is none, or not longer than the bars.
    DataError
        No bar is whole.

    Examples
    --------
    >>> from marketsim.data import open_source
    >>> from marketsim.data.reading.read_options import ReadOptions
    >>> hours = open_source("sample", options=ReadOptions(timeframe="1h")).load("AAPL")
    >>> len(hours), len(resample(hours, "1d"))
    (3478, 494)
    """
    wanted = parse_timeframe(timeframe)
    spacing = bars.timetable.spacing
    if wanted.seconds <= spacing or (wanted.unit in "mh" and wanted.seconds % spacing):
        own = timeframe_of(spacing)
        raise UsageError(f"{bars.symbol}: {wanted} bars cannot be made of {own} bars: choose a multiple of {own}")
    begins = _begins(bars, wanted)
    first = np.flatnonzero(np.append(True, begins[1:] != begins[:-1]))
    last = np.append(first[1:], len(bars))
    columns = [
        bars.open[first],
        np.maximum.reduceat(bars.high, first),
        np.minimum.reduceat(bars.low, first),
        bars.close[last - 1],
        np.add.reduceat(bars.volume, first),
    ]
    timetable = _timetable(begins[first], bars.timetable.calendar, wanted)
    source = f"{bars.source}, {wanted} of {timeframe_of(spacing)}"
    made = replace(
        bars, source=source, time=begins[first], ohlcv=np.column_stack(columns), timetable=timetable, finer=()
    )
    rows = np.arange(len(made))
    whole = covered(made, bars, rows, *spans(made, bars, rows), least=1)
    if not whole.any():
        raise DataError(f"{bars.symbol}: no bar of {wanted} has all of its bars of {timeframe_of(spacing)}")
    if whole.all():
        return made
    names = made.names(made.time[~whole])
    words = f"lack bars of {timeframe_of(spacing)} and are left out, {names[0]} the first"
    note = f"{bars.symbol}: {len(names):,} of {len(made):,} bars of {wanted} {words}"
    return replace(made, time=made.time[whole], ohlcv=made.ohlcv[whole], notes=(*made.notes, note))


def _timetable(begins: Stamps, calendar: Calendar, wanted: Timeframe) -> Timetable:
    """The timetable of bars of the timeframe, however few there are."""
    if wanted == Timeframe(1, "d"):
        return Daily(calendar, "UTC", 0)

    from marketsim.data.calendars.other_timetables import Continuous, Periodic

    if wanted.unit not in ("m", "h"):
        months = wanted.count if wanted.unit == "mo" else 0
        return Periodic(calendar, "UTC", wanted.seconds, months, named_by_date=True)
    if calendar.all_day and calendar.name != WEEKDAYS:
        return Continuous(calendar, wanted.seconds, 0)
    return make_timetable(begins, calendar)


def _begins(bars: Bars, wanted: Timeframe) -> Stamps:
    """When the longer bar of each bar begins, `[T]`, UTC."""
    timetable, times = bars.timetable, bars.time
    if wanted.unit in ("m", "h"):
        step = wanted.seconds
        if timetable.calendar.all_day:
            return _floor(times.astype("datetime64[s]").astype(np.int64), step).astype("datetime64[s]")
        days = timetable.dates(times)
        opens = timetable.calendar.hours(days)[0]
        now = (to_local(times, timetable.calendar.zone) - days).astype(np.int64)
        return timetable.calendar.instants(days, opens + _floor(now - opens, step))
    days = timetable.dates(times)
    if wanted.unit == "mo":
        months = days.astype("datetime64[M]").astype(np.int64)
        return _floor(months, wanted.count).astype("datetime64[M]").astype("datetime64[s]")
    if wanted.unit == "w":
        monday = (days - weekday(days)).astype(np.int64) + 3  # day 0 of the epoch was a Thursday
        return (_floor(monday, 7 * wanted.count) - 3).astype("datetime64[D]").astype("datetime64[s]")
    return _floor(days.astype(np.int64), wanted.count).astype("datetime64[D]").astype("datetime64[s]")


def _floor(values: NDArray[np.int64], step: int) -> NDArray[np.int64]:
    floored: NDArray[np.int64] = values // step * step
    return floored
