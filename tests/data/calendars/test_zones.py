"""Clocks of time zones, against the standard library's, stamp by stamp."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.data.calendars.zones import is_shown_twice, open_zone, to_local, to_utc, utc_offsets
from marketsim.errors import UsageError

ZONES = ("UTC", "America/New_York", "Asia/Tokyo", "Europe/Berlin", "Australia/Lord_Howe", "+09:00", "-0330")


@given(st.lists(st.integers(0, 2_000_000_000), max_size=30), st.sampled_from(ZONES))
def test_clocks_are_those_of_the_standard_library(seconds: list[int], zone: str) -> None:
    times = np.array(seconds, "datetime64[s]")
    shown = [datetime.fromtimestamp(each, UTC).astimezone(open_zone(zone)).replace(tzinfo=None) for each in seconds]
    np.testing.assert_array_equal(to_local(times, zone), np.array(shown, "datetime64[s]"))


@given(st.lists(st.integers(0, 2_000_000_000), max_size=30), st.sampled_from(ZONES))
def test_back_to_utc(seconds: list[int], zone: str) -> None:
    local = to_local(np.array(seconds, "datetime64[s]"), zone)
    np.testing.assert_array_equal(to_local(to_utc(local, zone), zone), local)


def test_a_day_on_which_the_clocks_change() -> None:
    hours = np.arange("2024-03-10T05", "2024-03-10T09", dtype="datetime64[h]").astype("datetime64[s]")
    assert utc_offsets(hours, "America/New_York").tolist() == [-18_000, -18_000, -14_400, -14_400]


@pytest.mark.parametrize(("zone", "expected"), [("America/New_York", [5, 6]), ("Europe/Berlin", []), ("UTC", [])])
def test_the_hour_that_clocks_show_twice(zone: str, expected: list[int]) -> None:
    hours = np.arange("2023-11-05T00", "2023-11-06T00", dtype="datetime64[h]").astype("datetime64[s]")
    assert [i for i, time in enumerate(hours) if is_shown_twice(time, zone)] == expected


@pytest.mark.parametrize("name", ["Mars/Olympus", "+25:99", "-24:00", "../UTC", "a\0b"])
def test_what_is_no_zone(name: str) -> None:
    with pytest.raises(UsageError, match=r"no time zone '.*'; zones look like Asia/Tokyo"):
        open_zone(name)
