"""When the bars of a series open and end, from the sessions of its calendar and its times of day.

A timetable is made once, of a whole series, and stays with it however the series is cut: nothing that it says of the
bar after an origin depends on later bars.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from msgspec import Struct

from marketsim.data.calendars.calendar import Calendar, Days
from marketsim.data.calendars.zones import DAY, Stamps, to_local, to_utc
from marketsim.data.distinct import distinct


class Timetable(Protocol):
    """When bars open and end. All stamps are UTC, `[N]` datetime64[s], and label a bar's open."""

    @property
    def calendar(self) -> Calendar:
        """The market's sessions."""
        ...

    @property
    def zone(self) -> str:
        """The time zone of `dates`."""
        ...

    @property
    def spacing(self) -> int:
        """Seconds from one bar to the next, inside a session."""
        ...

    @property
    def bars_per_year(self) -> int:
        """To annualize with."""
        ...

    @property
    def named_by_date(self) -> bool:
        """Whether the date of its session is all that tells a bar from the others."""
        ...

    def dates(self, times: Stamps) -> Days:
        """The session, as a date, that each bar belongs to."""
        ...

    def following(self, times: Stamps) -> Stamps:
        """When the bar after each of `times` should open, as far as was known on the evening before."""
        ...

    def starts(self, times: Stamps) -> Stamps:
        """From when on each bar can have begun to trade."""
        ...

    def ends(self, times: Stamps) -> Stamps:
        """When each bar is complete."""
        ...

    def missing(self, times: Stamps) -> int:
        """Bars between the first and the last of the increasing `times` that the calendar has and the series lacks."""
        ...


class Daily(Struct, frozen=True):
    """One bar a session."""

    calendar: Calendar
    zone: str  # in which the clock shows `clock` when a bar opens
    clock: int  # seconds after midnight of the session's date, as the stamps have it
    spacing: int = DAY

    @property
    def bars_per_year(self) -> int:
        """See `Timetable`."""
        return self.calendar.sessions_per_year

    @property
    def named_by_date(self) -> bool:
        """See `Timetable`."""
        return self.clock == 0 or self._has_hours

    def dates(self, times: Stamps) -> Days:
        """See `Timetable`."""
        local = to_local(times, self.zone)
        return (local - np.timedelta64(min(self.clock, 0), "s")).astype("datetime64[D]")

    def following(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        return self._stamps(self.calendar.next_sessions(self.dates(times)))

    def starts(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        return np.minimum(times, self.calendar.window(self.dates(times))[0]) if self._has_hours else times

    def ends(self, times: Stamps) -> Stamps:
        """See `Timetable`: at the close of its session, around the clock a day later."""
        if self._has_hours:
            return self.calendar.window(self.dates(times))[1]
        return self._stamps(self.dates(times) + 1)

    def missing(self, times: Stamps) -> int:
        """See `Timetable`."""
        if not len(days := distinct(self.dates(times))):
            return 0
        sessions = self.calendar.sessions(days[0], days[-1])
        return int(np.count_nonzero(~np.isin(sessions, days, assume_unique=True)))

    @property
    def _has_hours(self) -> bool:
        return not self.calendar.all_day

    def _stamps(self, days: Days) -> Stamps:
        midnights: Stamps = days.astype("datetime64[s]")
        return to_utc(midnights + np.timedelta64(self.clock, "s"), self.zone)


def session_opens(timetable: Timetable, opens: Stamps) -> Stamps:
    """When trade begins in the bars that are labeled `opens` `[N]`: some labels are dates of sessions with hours."""
    if not timetable.named_by_date or timetable.calendar.all_day:
        return opens
    return timetable.calendar.window(timetable.dates(opens))[0]
