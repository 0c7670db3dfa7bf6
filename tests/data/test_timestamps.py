"""Time stamps in every format that is read, and in those that are not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.data.timestamps import parse_stamps
from marketsim.errors import DataError


def read(*cells: str) -> tuple[list[str], tuple[str, ...]]:
    time, remarks = parse_stamps(cells, "x.csv, line {}".format, "x.csv")
    assert time.dtype == "datetime64[s]"
    return time.astype(str).tolist(), remarks


@pytest.mark.parametrize(
    "cell",
    [
        "2020-03-01",
        "20200301",
        "2020-03-01T00:00:00Z",
        "2020-03-01 02:00:00+02:00",
        "2020-02-29T18:30:00-05:30",
        "1583020800",
        "1583020800.0",
        "1583020800000",
        "1583020800000000",
        "1583020800000000000",
        " 2020-03-01 ",
    ],
)
def test_forms_of_one_moment(cell: str) -> None:
    assert read(cell) == (["2020-03-01T00:00:00"], ())


def test_a_naive_time_of_day_is_utc_and_said_once() -> None:
    times, remarks = read("2020-03-01 00:00", "2020-03-01 01:00", "2020-03-01 02:00")
    assert times[1] == "2020-03-01T01:00:00"
    assert remarks == ("x.csv: time stamps without a zone are taken as UTC",)


@pytest.mark.parametrize(
    ("cells", "second"),
    [
        (("18-Aug-2017", "19-Aug-2017"), "2017-08-19"),
        (("31/01/2020", "01/02/2020"), "2020-02-01"),
        (("01/02/2020", "01/03/2020"), "2020-01-03"),
        (("Aug 18, 2017", "Aug 19, 2017"), "2017-08-19"),
    ],
)
def test_other_formats_are_inferred_and_said(cells: tuple[str, str], second: str) -> None:
    times, remarks = read(*cells)
    assert times[1] == f"{second}T00:00:00"
    assert remarks == (f"x.csv: the date '{cells[0]}' is read as {times[0][:10]}",)


@pytest.mark.parametrize("cell", ["", "abc", "12", "2701", "1.5", "2020-13-01", "3 4 5", "NaT", "now"])
def test_what_is_no_date(cell: str) -> None:
    with pytest.raises(DataError, match=r"x.csv, line 0: .* is not a date"):
        read(cell)


@pytest.mark.parametrize("first", ["2020-03-01", "1583020800", "18-Aug-2017"])
def test_the_first_cell_decides_the_format(first: str) -> None:
    with pytest.raises(DataError, match=r"x.csv, line 1: 'soon' is not a date"):
        read(first, "soon")


def test_epochs_of_two_units_are_not_mixed() -> None:
    with pytest.raises(DataError, match=r"x.csv, line 1: '1583020800000' is not a date"):
        read("1583020800", "1583020800000")


@pytest.mark.parametrize(
    "cells",
    [
        ("2020-03-01", "2020-03-02T00:00Z"),
        ("2020-03-01T00:00Z", "2020-03-02T00:00"),
        ("2020-03-01T00:00-05:00", "2020-03-02T00:00-04:00"),
        ("18 Aug 2017 00:00 +0100", "19 Aug 2017 00:00 +0200"),
    ],
)
def test_mixed_time_zones(cells: tuple[str, str]) -> None:
    with pytest.raises(DataError, match=rf"x.csv, line 1: mixed time zones: .*{cells[1][:6]}"):
        read(*cells)


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_any_offset_gives_the_same_moment_in_utc(moment: datetime, zone: timezone) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert read(moment.astimezone(zone).isoformat())[0] == [moment.replace(tzinfo=None).isoformat()]
