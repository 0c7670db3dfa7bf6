"""Timetables of bars other than daily ones: within a session, around the clock, weekly or monthly.

They stand apart because a run on daily bars needs none of them.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from marketsim.data.calendars.calendar import Calendar, Days, Seconds
from marketsim.data.calendars.zones import DAY, Stamps, to_local, to_utc


class Continuous(Struct, frozen=True):
    """Bars around the clock, except at weekends if the market is closed then."""

    calendar: Calendar
    spacing: int
    phase: int  # seconds: stamps are `phase` more than a multiple of `spacing`

    @property
    def zone(self) -> str:
        """See `Timetable`."""
        return self.calendar.zone

    @property
    def bars_per_year(self) -> int:
        """See `Timetable`."""
        return max(1, round(self.calendar.sessions_per_year * DAY / self.spacing))

    @property
    def named_by_date(self) -> bool:
        """See `Timetable`."""
        return False

    def dates(self, times: Stamps) -> Days:
        """See `Timetable`."""
        return (to_local(times, self.zone) - np.timedelta64(self.calendar.opens, "s")).astype("datetime64[D]")

    def following(self, times: Stamps) -> Stamps:
        """See `Timetable`: a step later, or the bar during which the market opens again."""
        following = times + np.timedelta64(self.spacing, "s")
        days = self.dates(following)
        shut = ~self.calendar.is_scheduled(days)
        if shut.any():
            opens = self.calendar.window(self.calendar.next_sessions(days[shut]))[0].astype(np.int64)
            on_grid = (opens - self.phase) // self.spacing * self.spacing + self.phase
            following[shut] = np.maximum(following[shut], on_grid.astype("datetime64[s]"))
        return following

    def starts(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        return times

    def ends(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        ends: Stamps = times + np.timedelta64(self.spacing, "s")
        return ends

    def missing(self, times: Stamps) -> int:
        """See `Timetable`."""
        if len(times) < 2:
            return 0
        steps = np.diff(times).astype(np.int64)
        late = np.flatnonzero(steps > 1.5 * self.spacing)
        expected = self.following(times[late])
        skipped = (times[late + 1] - expected).astype(np.int64)
        return int(np.maximum(np.rint(skipped / self.spacing), 0).sum())


class Intraday(Struct, frozen=True):
    """Several bars a session, at the same times of each day, in the calendar's zone."""

    calendar: Calendar
    spacing: int
    slots: tuple[int, ...]  # seconds after local midnight of the session's date, increasing: when bars open

    @property
    def zone(self) -> str:
        """See `Timetable`."""
        return self.calendar.zone

    @property
    def bars_per_year(self) -> int:
        """See `Timetable`."""
        return self.calendar.sessions_per_year * len(self.slots)

    @property
    def named_by_date(self) -> bool:
        """See `Timetable`."""
        return False

    def dates(self, times: Stamps) -> Days:
        """See `Timetable`."""
        evening = np.timedelta64(min(self.calendar.opens, 0), "s")
        return (to_local(times, self.zone) - evening).astype("datetime64[D]")

    def following(self, times: Stamps) -> Stamps:
        """See `Timetable`: the next time of the day, or the first of the next session."""
        days, slots = self.dates(times), np.array(self.slots)
        now = (to_local(times, self.zone) - days).astype(np.int64)
        row = np.searchsorted(slots, now, "right")
        later = slots[np.minimum(row, len(slots) - 1)]
        today = (row < len(slots)) & (later < self._ends_of(days)) & self.calendar.is_scheduled(days)
        following_days = np.where(today, days, self.calendar.next_sessions(days))
        return self.calendar.instants(following_days, np.where(today, later, slots[0]))

    def starts(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        return times

    def ends(self, times: Stamps) -> Stamps:
        """See `Timetable`: a step later, or at the close if that is sooner."""
        closes = self.calendar.instants(self.dates(times), self._ends_of(self.dates(times)))
        ends: Stamps = times + np.timedelta64(self.spacing, "s")
        return np.where(times < closes, np.minimum(ends, closes), ends)

    def missing(self, times: Stamps) -> int:
        """See `Timetable`."""
        if len(times) < 2:
            return 0
        days = self.dates(times)
        sessions = self.calendar.sessions(days[0], days[-1])
        slots = np.array(self.slots)
        there = slots[None] < self._ends_of(sessions)[:, None]
        day, slot = np.nonzero(there)
        expected = self.calendar.instants(sessions[day], slots[slot])
        inside = expected[(expected >= times[0]) & (expected <= times[-1])]
        return int(np.count_nonzero(~np.isin(inside, times)))

    def _ends_of(self, days: Days) -> Seconds:
        """When the last bar of each of `days` ends, in seconds from local midnight: trade after the close included."""
        longer = max(0, self.slots[-1] + self.spacing - self.calendar.closes)
        late = longer if longer >= self.spacing else 0  # a last bar that reaches beyond the close is cut there
        ends: Seconds = self.calendar.hours(days)[1] + late
        return ends


class Periodic(Struct, frozen=True):
    """Bars of a week or longer."""

    calendar: Calendar
    zone: str
    spacing: int
    months: int  # of a bar; 0 where it is weeks long
    named_by_date: bool

    @property
    def bars_per_year(self) -> int:
        """See `Timetable`."""
        return max(1, round(12 / self.months if self.months else 365 * DAY / self.spacing))

    def dates(self, times: Stamps) -> Days:
        """See `Timetable`: the date of the stamp."""
        return to_local(times, self.zone).astype("datetime64[D]")

    def following(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        local = to_local(times, self.zone)
        if not self.months:
            return to_utc(local + np.timedelta64(self.spacing, "s"), self.zone)
        month = local.astype("datetime64[M]")
        later, after = month + self.months, month + self.months + 1
        into = local - month.astype("datetime64[s]")  # a 31st becomes a 30th
        last = after.astype("datetime64[s]") - later.astype("datetime64[s]") - np.timedelta64(DAY, "s")
        return to_utc(later.astype("datetime64[s]") + np.minimum(into, last), self.zone)

    def starts(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        return times

    def ends(self, times: Stamps) -> Stamps:
        """See `Timetable`."""
        return self.following(times)

    def missing(self, times: Stamps) -> int:
        """See `Timetable`."""
        steps = np.diff(times).astype(np.int64)
        return int(np.maximum(np.rint(steps / self.spacing) - 1, 0).sum())
