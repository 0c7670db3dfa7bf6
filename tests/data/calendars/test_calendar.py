"""Calendars: the table of New York and the rules, against the library exchange-calendars and against known days."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from marketsim.data.calendars.calendar import HOUR, Days, calendar_name, open_calendar
from marketsim.data.calendars.regularity import choose_timetable
from marketsim.errors import MissingExtra, UsageError


def days(*names: str) -> Days:
    return np.array(names, "datetime64[D]")


def test_new_york_is_what_the_library_says() -> None:
    library = pytest.importorskip("exchange_calendars")
    schedule = library.get_calendar("XNYS", start="1990-01-01", end="2035-12-31").schedule
    calendar = open_calendar("XNYS")
    sessions = calendar.sessions(*days("1990-01-01", "2035-12-31"))
    np.testing.assert_array_equal(sessions, schedule.index.to_numpy().astype("datetime64[D]"))
    for own, column in zip(calendar.window(sessions), ("open", "close"), strict=True):
        np.testing.assert_array_equal(own, schedule[column].dt.tz_localize(None).to_numpy().astype("datetime64[s]"))


def test_other_exchanges_come_from_the_library() -> None:
    pytest.importorskip("exchange_calendars")
    tokyo = open_calendar("xtks")
    assert (tokyo.name, tokyo.zone) == ("XTKS", "Asia/Tokyo")
    assert tokyo.is_session(days("2024-01-03", "2024-01-05", "2024-01-06")).tolist() == [False, True, False]
    assert tokyo.next_sessions(days("2023-12-29", "2024-01-05")).tolist() == days("2024-01-04", "2024-01-09").tolist()
    opens, closes = tokyo.window(days("2024-01-04", "2024-12-02"))  # the close moved on 2024-11-05
    assert [str(each) for each in (*opens, *closes)] == [
        "2024-01-04T00:00:00",
        "2024-12-02T00:00:00",
        "2024-01-04T06:00:00",
        "2024-12-02T06:30:00",
    ]
    assert open_calendar("NYSE") is open_calendar("XNYS")
    with pytest.raises(UsageError, match=r"no calendar 'XTKZ'; did you mean 'XTKS'"):
        open_calendar("XTKZ")


def test_holidays_and_half_days() -> None:
    york = open_calendar("XNYS")
    assert york.next_sessions(days("2024-07-03", "2024-11-28", "2025-01-08")).tolist() == (
        days("2024-07-05", "2024-11-29", "2025-01-10").tolist()
    )
    opens, closes = york.hours(days("2024-07-02", "2024-07-03"))
    assert (opens / HOUR).tolist() == [9.5, 9.5]
    assert (closes / HOUR).tolist() == [16, 13]


def test_a_closure_that_nobody_knew_of_is_not_known_the_evening_before() -> None:
    york = open_calendar("XNYS")
    assert not york.is_session(days("2001-09-11")).any()
    assert york.next_sessions(days("2001-09-10")).tolist() == days("2001-09-11").tolist()


@pytest.mark.parametrize(("name", "sessions"), [("24/7", 365), ("24/5", 261), ("weekdays", 261), ("XNYS", 252)])
def test_sessions_a_year(name: str, sessions: int) -> None:
    assert open_calendar(name).sessions_per_year == sessions


def test_a_currency_session_begins_on_the_evening_before() -> None:
    opens, closes = open_calendar("24/5").window(days("2024-01-08", "2024-07-08"))
    assert [str(each) for each in opens] == ["2024-01-07T22:00:00", "2024-07-07T21:00:00"]
    assert [str(each) for each in closes] == ["2024-01-08T22:00:00", "2024-07-08T21:00:00"]


@pytest.mark.parametrize(
    ("symbol", "crypto", "name"),
    [
        ("ETHUSD", True, "24/7"),
        ("EURUSD", False, "24/5"),
        ("EURUSD=X", False, "24/5"),
        ("AAPL", False, "XNYS"),
        ("BRK.B", False, "XNYS"),
        ("7203.T", False, "XTKS"),
        ("SAP.DE", False, "XETR"),
    ],
)
def test_what_a_symbol_suggests(symbol: str, crypto: bool, name: str) -> None:
    assert calendar_name(symbol, crypto) == name


TOKYO = ["2024-01-04", "2024-01-05", "2024-01-09", "2024-01-10", "2024-01-11", "2024-01-12"]


def test_without_the_library_weekdays_are_taken_and_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "exchange_calendars", None)
    open_calendar.cache_clear()
    with pytest.raises(MissingExtra, match=r"calendar 'XTKS' .* needs the extra 'calendar'"):
        open_calendar("XTKS")
    table, remark = choose_timetable("7203.T", False, np.array(TOKYO, "datetime64[s]"))
    assert table.calendar.name == "weekdays"
    assert remark == (
        "7203.T: for the calendar XTKS install 'marketsim[calendar]'; Mon, Tue, Wed, Thu, Fri are taken as sessions, "
        "holidays unknown"
    )
    assert open_calendar("XNYS").name == "XNYS"


def test_bars_on_closed_days_are_told_and_their_own_weekdays_taken() -> None:
    weekdays = np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]")
    london = weekdays[np.is_busday(weekdays, holidays=["2024-01-01"])]
    table, remark = choose_timetable("SHELL", False, london.astype("datetime64[s]"))
    assert (table.calendar.name, remark) == ("XNYS", None)  # two days are not enough to tell
    weekdays = np.arange("2024-01-02", "2025-01-01", dtype="datetime64[D]")
    table, remark = choose_timetable("SHELL", False, weekdays[np.is_busday(weekdays)].astype("datetime64[s]"))
    assert table.calendar.name == "weekdays"
    assert remark is not None and remark.startswith("SHELL: 9 of 261 days with bars are none of XNYS (--calendar")
    table, remark = choose_timetable("COIN", False, weekdays.astype("datetime64[s]"))
    assert table.calendar.name == "24/7"
    assert remark is not None and remark.endswith("all days of the week are taken as sessions")
