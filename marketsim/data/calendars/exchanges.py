"""The calendars of exchanges, by the library exchange-calendars (extra `calendar`)."""

from __future__ import annotations

import warnings

import numpy as np

from marketsim.data.calendars.calendar import (
    ALWAYS,
    CURRENCIES,
    NEW_YORK,
    WEEKDAYS,
    Calendar,
    Days,
    open_calendar,
    weekday,
)
from marketsim.data.calendars.zones import to_local
from marketsim.errors import MissingExtra, UsageError
from marketsim.registry import nearest

BUILT_IN = (ALWAYS, CURRENCIES, WEEKDAYS, NEW_YORK)


def open_exchange(name: str) -> Calendar:
    """The calendar of an exchange by its market identifier code, such as "XTKS" for Tokyo.

    The library is asked for what it knows: some twenty years, and one ahead. Before and after, the weekly rule holds.
    Pauses inside a session (lunch) are not part of a calendar; the bars of a series show them.

    Raises
    ------
    UsageError
        No calendar has this name.
    MissingExtra
        The library is not installed.
    """
    try:
        import exchange_calendars
    except ImportError:
        raise MissingExtra(f"calendar '{name}' (built in: {', '.join(BUILT_IN)})", "calendar") from None
    known = exchange_calendars.get_calendar_names()
    if name not in known and name.upper() in known:
        name = name.upper()
    if name not in known:
        near = nearest(name, [*BUILT_IN, *known])
        raise UsageError(f"no calendar '{name}'{near}; there are {', '.join(BUILT_IN)} and codes such as XTKS, XLON")
    name = exchange_calendars.resolve_alias(name)
    if name == NEW_YORK:
        return open_calendar(NEW_YORK)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of pandas, about the library's own code
        exchange = exchange_calendars.get_calendar(name)
    schedule, zone = exchange.schedule, str(exchange.tz)
    days: Days = schedule.index.to_numpy().astype("datetime64[D]")
    opens, closes = (
        (to_local(schedule[column].dt.tz_localize(None).to_numpy(), zone) - days).astype(np.int64)
        for column in ("open", "close")
    )
    newest = slice(-200, None)  # sessions that say what the usual hours are
    usual = [int(np.median(minutes[newest])) for minutes in (opens, closes)]
    odd = (opens != usual[0]) | (closes != usual[1])
    span = np.arange(days[0], days[-1] + 1)
    open_days = np.isin(span, days)
    week = np.bincount(weekday(days[newest]), minlength=7) > len(days[newest]) / 20
    expected = week[weekday(span)]
    return Calendar(
        name,
        zone,
        weekdays=tuple(week.tolist()),
        opens=usual[0],
        closes=usual[1],
        closed=span[expected & ~open_days],
        opened=span[~expected & open_days],
        odd=days[odd],
        odd_opens=opens[odd],
        odd_closes=closes[odd],
    )
