"""What the times of a series show: spacing, time zone, times of day, calendar."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from marketsim.data.calendars.calendar import (
    ALWAYS,
    CURRENCIES,
    WEEKDAYS,
    Calendar,
    Days,
    Seconds,
    calendar_name,
    open_calendar,
    weekday,
)
from marketsim.data.calendars.timetable import Daily, Timetable
from marketsim.data.calendars.zones import DAY, Stamps, to_local
from marketsim.data.distinct import distinct
from marketsim.errors import MissingExtra

WEEK = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTH = 27 * DAY  # seconds; bars that are at least so far apart are months long
MIDNIGHTS = 0.95  # share of the stamps at local midnight, if they are dates of that zone
ADMITTED = 0.02  # share of bars on days when the market is closed, with which a calendar is still believed
HABITUAL = 0.05  # share of bars on a weekday that a market is open on
OCCUPIED = 0.25  # share of the sessions that have a bar at a time of the day, if it is one of the series
NEWEST = 50_000  # bars that show at which times of the day a series has bars


def make_timetable(times: Stamps, calendar: Calendar, zone: str | None = None) -> Timetable:
    """The timetable of bars that open at `times` `[T]` (UTC, increasing); `zone` is the one that their file states."""
    spacing = usual_spacing(times)
    if spacing > 0.9 * DAY:
        daily = _daily(times, calendar, zone)
        if spacing < 1.5 * DAY or np.mean(daily.following(times[:-1]) == times[1:]) > 0.5:  # a Friday and a Monday
            return daily

    from marketsim.data.calendars.other_timetables import Continuous, Intraday, Periodic

    if spacing > 0.9 * DAY:
        place = _midnight_zone(times, (zone, calendar.zone))
        months = round(spacing / (DAY * 30.4)) if spacing >= MONTH else 0
        return Periodic(calendar, place or "UTC", spacing, months, place is not None)
    if calendar.all_day and calendar.name != WEEKDAYS:
        return Continuous(calendar, spacing, _commonest(times.astype("datetime64[s]").astype(np.int64) % spacing))
    return Intraday(calendar, spacing, _slots(times[-NEWEST:], calendar, spacing))


def choose_timetable(symbol: str, crypto: bool, times: Stamps, zone: str | None = None) -> tuple[Timetable, str | None]:
    """The timetable of a canonical symbol with bars at `times`, and a doubt where its calendar is an unexpected one.

    Where the bars lie on days when the exchange is closed, or its calendar is not installed, the weekdays that have
    bars are taken as sessions, holidays unknown.
    """
    name = calendar_name(symbol, crypto)
    try:
        calendar = open_calendar(name)
    except MissingExtra:
        return _own_weekdays(times, zone, f"{symbol}: for the calendar {name} install 'marketsim[calendar]'")
    table = make_timetable(times, calendar, zone)
    if name == CURRENCIES:
        calendar = replace(calendar, weekdays=_habit(distinct(table.dates(times)), calendar))
        return make_timetable(times, calendar, zone), None
    doubt = misfit(symbol, times, table)
    return (table, None) if doubt is None else _own_weekdays(times, zone, doubt)


def misfit(symbol: str, times: Stamps, table: Timetable) -> str | None:
    """What makes one doubt that bars at `times` are of that calendar: a share of them on days when it is closed."""
    calendar = table.calendar
    if calendar.name == ALWAYS or usual_spacing(times) > 1.5 * DAY:
        return None
    days = distinct(table.dates(times))
    closed = np.count_nonzero(~calendar.is_session(days))
    if closed < 3 or closed <= ADMITTED * len(days):
        return None
    return (
        f"{symbol}: {closed} of {len(days)} days with bars are none of {calendar.name} (--calendar names its exchange)"
    )


def usual_spacing(times: Stamps) -> int:
    """The commonest distance between neighbors, in seconds; the shortest of those that are equally common."""
    steps = np.diff(times.astype("datetime64[s]")).astype(np.int64)
    return _commonest(steps[steps > 0]) if (steps > 0).any() else DAY


def _own_weekdays(times: Stamps, zone: str | None, doubt: str) -> tuple[Timetable, str]:
    """The timetable of the weekdays that have bars, and the doubt with what is taken instead."""
    calendar = replace(open_calendar(WEEKDAYS), zone=zone or "UTC")
    days = distinct(make_timetable(times, calendar, zone).dates(times))
    week = _habit(days, calendar)
    if all(week):
        return make_timetable(
            times, open_calendar(ALWAYS), zone
        ), f"{doubt}; all days of the week are taken as sessions"
    words = ", ".join(WEEK[i] for i in np.flatnonzero(week))
    own = make_timetable(times, replace(calendar, weekdays=week), zone)
    return own, f"{doubt}; {words} are taken as sessions, holidays unknown"


def _habit(days: Days, calendar: Calendar) -> tuple[bool, ...]:
    """The calendar's weekdays, and those others on which the series has bars as a rule."""
    share = np.bincount(weekday(days), minlength=7) / max(1, len(days))
    return tuple(open_ or bool(own > HABITUAL) for open_, own in zip(calendar.weekdays, share, strict=True))


def _daily(times: Stamps, calendar: Calendar, zone: str | None) -> Daily:
    midnight = _midnight_zone(times, (zone, calendar.zone))
    if midnight is not None:
        return Daily(calendar, midnight, 0)
    clock = _commonest(_clocks(times, calendar.zone))
    on_the_evening_before = clock >= DAY + calendar.opens
    return Daily(calendar, calendar.zone, clock - DAY * on_the_evening_before)


def _midnight_zone(times: Stamps, zones: tuple[str | None, ...]) -> str | None:
    """The first of UTC and the `zones` in which stamps are at midnight."""
    for zone in ("UTC", *zones):
        if zone is not None and np.mean(_clocks(times, zone) == 0) >= MIDNIGHTS:
            return zone
    return None


def _clocks(times: Stamps, zone: str) -> Seconds:
    """What the clocks of `zone` show, in seconds after midnight."""
    local = to_local(times, zone)
    clocks: Seconds = (local - local.astype("datetime64[D]")).astype(np.int64)
    return clocks


def _slots(times: Stamps, calendar: Calendar, spacing: int) -> tuple[int, ...]:
    """The times of the day at which a series has bars in many of its sessions.

    Where few times have, for bars are few, the calendar's hours in steps of `spacing` are slots too.
    """
    days = (to_local(times, calendar.zone) - np.timedelta64(min(calendar.opens, 0), "s")).astype("datetime64[D]")
    clocks = (to_local(times, calendar.zone) - days).astype(np.int64)
    values, counts = np.unique(clocks, return_counts=True)
    own = values[counts >= OCCUPIED * len(distinct(days))]
    phase = _commonest(clocks % spacing)
    first = (calendar.opens - phase) // spacing * spacing + phase
    regular = np.arange(first, calendar.closes, spacing)
    enough = len(own) > 0 if calendar.all_day else 2 * len(own) >= len(regular)
    return tuple((own if enough else distinct(np.concatenate([own, regular]))).tolist())


def _commonest(values: Seconds) -> int:
    """The most frequent value, the smallest of several; 0 without values."""
    if len(values):
        middle = values[len(values) // 2]
        if 2 * np.count_nonzero(values == middle) > len(values):  # no other can be as common
            return int(middle)
    found, counts = np.unique(values, return_counts=True)
    return int(found[np.argmax(counts)]) if len(found) else 0
