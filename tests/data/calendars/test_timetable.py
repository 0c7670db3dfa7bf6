"""Timetables: when the next bar opens and a bar ends, in zones, over holidays and half days, and bars a year."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.data.bars import next_opens
from marketsim.data.calendars.calendar import open_calendar
from marketsim.data.calendars.other_timetables import Continuous, Intraday, Periodic
from marketsim.data.calendars.regularity import make_timetable
from marketsim.data.calendars.timetable import Daily, Timetable
from marketsim.data.calendars.zones import Stamps, to_utc

YORK, TOKYO_ZONE = "America/New_York", "Asia/Tokyo"


def utc(*names: str, zone: str = "UTC") -> Stamps:
    return to_utc(np.array(names, "datetime64[s]"), zone)


def sessions(calendar: str, first: str, last: str, *clocks: str, zone: str = "UTC") -> Stamps:
    """UTC stamps of bars at `clocks` of `zone` in each session."""
    days = open_calendar(calendar).sessions(np.datetime64(first), np.datetime64(last))
    return utc(*(f"{day}T{clock}" for day in days for clock in clocks), zone=zone)


def following(table: Timetable, time: str, zone: str = "UTC") -> str:
    return str(next_opens(table, utc(time, zone=zone)[0], 1)[0])


def end(table: Timetable, time: str, zone: str = "UTC") -> str:
    return str(table.ends(utc(time, zone=zone))[0])


def test_days_that_are_labeled_at_midnight_in_utc() -> None:
    table = make_timetable(sessions("XNYS", "2024-01-01", "2024-03-01", "00:00"), open_calendar("XNYS"))
    assert table == Daily(open_calendar("XNYS"), "UTC", 0)
    assert following(table, "2024-03-28") == "2024-04-01T00:00:00"  # Good Friday
    assert end(table, "2024-07-03") == "2024-07-03T17:00:00"  # a half day
    assert end(table, "2024-01-02") == "2024-01-02T21:00:00"
    assert table.bars_per_year == 252


def test_a_tokyo_friday_is_not_followed_by_a_saturday() -> None:
    pytest.importorskip("exchange_calendars")
    calendar = open_calendar("XTKS")
    times = sessions("XTKS", "2024-01-01", "2024-02-09", "00:00", zone=TOKYO_ZONE)
    assert str(times[-1]) == "2024-02-08T15:00:00"  # in Tokyo the 9th, a Friday; Monday the 12th is a holiday
    table = make_timetable(times, calendar)
    assert str(table.dates(times[-1:])[0]) == "2024-02-09"
    assert str(table.following(times[-1:])[0]) == "2024-02-12T15:00:00"
    assert str(table.dates(table.following(times[-1:]))[0]) == "2024-02-13"
    assert str(table.ends(times[-1:])[0]) == "2024-02-09T06:00:00"


def test_without_its_calendar_the_zone_of_the_file_tells_the_dates() -> None:
    times = utc("2024-02-07", "2024-02-08", "2024-02-09", zone=TOKYO_ZONE)
    for zone in (TOKYO_ZONE, "+09:00"):
        table = make_timetable(times, open_calendar("XNYS"), zone)
        assert table.dates(times).astype(str).tolist() == ["2024-02-07", "2024-02-08", "2024-02-09"]
        assert str(table.following(times[-1:])[0]) == "2024-02-11T15:00:00"


def test_midnights_of_new_york_follow_its_summer_time() -> None:
    table = make_timetable(sessions("XNYS", "2024-01-02", "2024-12-31", "00:00", zone=YORK), open_calendar("XNYS"))
    assert following(table, "2024-03-08", YORK) == "2024-03-11T04:00:00"
    assert following(table, "2024-11-01", YORK) == "2024-11-04T05:00:00"


def test_days_that_are_labeled_at_the_open() -> None:
    table = make_timetable(sessions("XNYS", "2024-01-02", "2024-06-28", "09:30", zone=YORK), open_calendar("XNYS"))
    assert (following(table, "2024-03-08T14:30"), end(table, "2024-03-08T14:30")) == (
        "2024-03-11T13:30:00",
        "2024-03-08T21:00:00",
    )


def test_currency_days_from_five_in_the_afternoon_in_new_york() -> None:
    days = np.arange("2024-01-01", "2024-06-01", dtype="datetime64[D]")
    evenings = days[np.is_busday(days, weekmask="Mon Tue Wed Thu Sun")]
    times = utc(*(f"{day}T17:00" for day in evenings), zone=YORK)
    table = make_timetable(times, open_calendar("24/5"))
    assert isinstance(table, Daily) and table.clock == -7 * 3_600
    assert str(table.dates(utc("2024-01-07T22:00"))[0]) == "2024-01-08"
    assert following(table, "2024-01-11T22:00") == "2024-01-14T22:00:00"  # Friday's session, then Monday's
    assert table.missing(times) == 0


def test_hours_of_a_stock() -> None:
    clocks = ("09:30", "10:30", "11:30", "12:30", "13:30", "14:30", "15:30")
    times = sessions("XNYS", "2024-06-03", "2024-07-10", *clocks, zone=YORK)
    table = make_timetable(times, open_calendar("XNYS"))
    assert isinstance(table, Intraday) and table.bars_per_year == 7 * 252
    assert following(table, "2024-07-02T15:30", YORK) == "2024-07-03T13:30:00"
    assert following(table, "2024-07-03T12:30", YORK) == "2024-07-05T13:30:00"  # a half day, then a holiday
    assert end(table, "2024-07-02T15:30", YORK) == "2024-07-02T20:00:00"
    assert end(table, "2024-07-03T12:30", YORK) == "2024-07-03T17:00:00"
    assert table.missing(times[times < np.datetime64("2024-07-03T17:00")]) == 0
    assert table.missing(np.delete(times, [3, 20])) == 2


def test_clock_hours_with_trade_before_the_open_and_after_the_close() -> None:
    clocks = [f"{hour:02}:00" for hour in range(4, 20)]
    table = make_timetable(sessions("XNYS", "2024-06-03", "2024-06-28", *clocks, zone=YORK), open_calendar("XNYS"))
    assert following(table, "2024-07-02T19:00", YORK) == "2024-07-03T08:00:00"
    assert following(table, "2024-07-03T16:00", YORK) == "2024-07-05T08:00:00"  # until five on a half day
    assert table.bars_per_year == 16 * 252


def test_lunch() -> None:
    pytest.importorskip("exchange_calendars")
    clocks = ("09:00", "10:00", "11:00", "12:30", "13:30", "14:30")
    times = sessions("XTKS", "2024-01-04", "2024-02-09", *clocks, zone=TOKYO_ZONE)
    table = make_timetable(times, open_calendar("XTKS"))
    assert following(table, "2024-02-08T11:00", TOKYO_ZONE) == "2024-02-08T03:30:00"
    assert table.bars_per_year == 6 * open_calendar("XTKS").sessions_per_year


def test_minutes_that_few_traded_still_follow_the_hours_of_the_exchange() -> None:
    times = sessions("XNYS", "2024-06-03", "2024-06-28", "09:41", "11:07", "11:08", "14:59", zone=YORK)
    table = make_timetable(times, open_calendar("XNYS"))
    assert (table.spacing, table.bars_per_year) == (60, 390 * 252)
    assert following(table, "2024-06-03T15:59", YORK) == "2024-06-04T13:30:00"


def test_around_the_clock() -> None:
    hours = np.arange("2024-01-01T00", "2024-01-15T00", dtype="datetime64[h]").astype("datetime64[s]")
    table = make_timetable(hours, open_calendar("24/7"))
    assert isinstance(table, Continuous) and table.bars_per_year == 8_760
    assert following(table, "2024-01-06T23:00") == "2024-01-07T00:00:00"
    assert table.missing(np.delete(hours, [5, 6, 90])) == 3


@pytest.mark.parametrize(
    ("spacing", "friday", "sunday"),
    [("1h", "2024-01-05T21:00", "2024-01-07T22:00:00"), ("4h", "2024-01-05T20:00", "2024-01-07T20:00:00")],
)
def test_a_currency_weekend(spacing: str, friday: str, sunday: str) -> None:
    step = np.timedelta64(int(spacing[0]), "h")
    times = np.arange("2024-01-01T00", "2024-01-05T21", step, dtype="datetime64[h]").astype("datetime64[s]")
    table = make_timetable(times, open_calendar("24/5"))
    assert following(table, "2024-01-04T20:00") == str(np.datetime64("2024-01-04T20:00:00") + step)
    assert following(table, friday) == sunday


@pytest.mark.parametrize(
    ("first", "months", "time", "expected"),
    [("2020-01", 1, "2020-02-01", "2020-03-01T00:00:00"), ("2020-01", 3, "2020-10-01", "2021-01-01T00:00:00")],
)
def test_months(first: str, months: int, time: str, expected: str) -> None:
    step = np.timedelta64(months, "M")
    times = np.arange(first, "2023-01", step, dtype="datetime64[M]").astype("datetime64[s]")
    table = make_timetable(times, open_calendar("XNYS"))
    assert isinstance(table, Periodic) and table.bars_per_year == 12 / months
    assert following(table, time) == expected
    assert table.missing(np.delete(times, 2)) == 1


def test_the_last_day_of_a_month() -> None:
    times = np.array(["2020-11-30", "2020-12-31", "2021-01-31", "2021-02-28"], "datetime64[s]")
    table = make_timetable(times, open_calendar("24/7"))
    assert following(table, "2021-01-31") == "2021-02-28T00:00:00"


def test_weeks() -> None:
    times = np.arange("2024-01-01", "2024-03-01", 7, dtype="datetime64[D]").astype("datetime64[s]")
    table = make_timetable(times, open_calendar("XNYS"))
    assert table.bars_per_year == 52
    assert following(table, "2024-03-04") == "2024-03-11T00:00:00"


def test_single_bars_are_days() -> None:
    table = make_timetable(utc("2024-01-05"), open_calendar("XNYS"))
    assert following(table, "2024-01-05") == "2024-01-08T00:00:00"


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(["days", "local days", "hours", "crypto", "currency"]),
    start=st.integers(0, 3_000),
    data=st.data(),
)
def test_what_follows_a_bar_rests_on_nothing_after_it(kind: str, start: int, data: st.DataObject) -> None:
    """A whole series' timetable says what follows each of its bars; regular series are their own slow twin."""
    calendar = {"crypto": "24/7", "currency": "24/5"}.get(kind, "XNYS")
    first = np.datetime64("2012-12-03") + start
    clocks = ("09:30", "10:30", "11:30", "12:30") if kind == "hours" else ("00:00",)
    zone = YORK if kind in ("local days", "hours") else "UTC"
    times = sessions(calendar, str(first), str(first + 120), *clocks, zone=zone)
    if kind == "currency":
        times = currency_hours(first)
    table = make_timetable(times, open_calendar(calendar))
    np.testing.assert_array_equal(table.following(times[:-1]), times[1:])
    some = data.draw(st.lists(st.integers(0, len(times) - 2), min_size=1, max_size=9))
    np.testing.assert_array_equal(table.following(times[some]), times[np.array(some) + 1])
    assert table.missing(times) == 0
    assert (table.ends(times[:-1]) <= times[1:]).all() and (table.starts(times) <= times).all()


def currency_hours(first: np.datetime64) -> Stamps:
    """The hours of 120 days in which currencies are traded, hour by hour: not from Friday to Sunday, 17:00 New York."""
    times = first.astype("datetime64[s]") + np.arange(120 * 24) * np.timedelta64(1, "h")
    local = [datetime.fromtimestamp(int(each), ZoneInfo(YORK)) for each in times.astype(np.int64)]
    week = [each.isoweekday() % 7 * 24 + each.hour for each in local]  # hours since Sunday began
    return times[[17 <= hour < 5 * 24 + 17 for hour in week]]
