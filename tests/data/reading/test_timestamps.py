"""Time stamps in every format that is read, and in those that are not."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.data.reading.clocks import ClockCells
from marketsim.data.reading.date_formats import seconds_of_day
from marketsim.data.reading.formats import DAY_FIRST, MONTH_FIRST
from marketsim.data.reading.timestamps import Stamps, parse_stamps
from marketsim.data.reading.wanted import Wanted
from marketsim.errors import DataError, UsageError


def parse(*cells: str, clocks: list[str] | None = None, **wanted: str) -> Stamps:
    times = None if clocks is None else ClockCells(np.array(clocks, dtype=object), "Time")
    return parse_stamps(
        np.array(cells, dtype=object), "x.csv, line {}".format, "x.csv", Wanted(option="--date-format", **wanted), times
    )


def read(*cells: str, **wanted: str) -> list[str]:
    found = parse(*cells, **wanted)
    assert found.time.dtype == "datetime64[ns]"
    assert not found.unreadable
    return [str(time).removesuffix("000").removesuffix(".000000") for time in found.time]


@pytest.mark.parametrize(
    "cell",
    [
        "2020-03-01",
        "20200301",
        "2020-03-01T00:00:00Z",
        "2020-03-01T00:00:00.000Z",
        "2020-03-01 02:00:00+02:00",
        "2020-03-01 02:00:00+02",
        "2020-02-29T18:30:00-05:30",
        "2020-02-29T18:30:00-0530",
        "1583020800",
        "1583020800.0",
        "1583020800000",
        "1583020800000000",
        "1583020800000000000",
        "1.5830208e+09",
        " 2020-03-01 ",
        "2020/03/01",
        "2020.03.01",
        "2020-3-1",
        "01-Mar-2020",
        "1-MAR-20",
        "1 März 2020",
        "1. Mrz. 2020",
        "1 марта 2020",
        "2020-Mar-01",
        "Mar 1, 2020",
        "Mar. 01, 2020",
        "March 1st, 2020",
        "Sun, Mar 1, 2020",
        "Sunday, 1 March 2020",
        "2020年3月1日",
        "01.03.2020",
        "2020030100",
        "202003010000",
        "20200301000000",
        "20200301000000000",
        "20200301 000000",
        "20200301  00:00:00",
        "20200229 19:00:00 US/Eastern",
        "2020-02-29 19:00:00 EST",
        "2020-03-01 12-AM",
        "2020-03-01 12:00 AM",
        "01.03.2020 00:00:00.000",
        "01.03.2020 01:00:00.000 GMT+0100",
        "Sun Mar 01 2020 01:00:00 GMT+0100 (CET)",
        "2020-03-01 00:00 UTC",
    ],
)
def test_forms_of_one_moment(cell: str) -> None:
    assert read(cell) == ["2020-03-01T00:00:00"]


@pytest.mark.parametrize("unit", [1, 10**3, 10**6, 10**9])
def test_an_epoch_has_the_unit_that_gives_our_years(unit: int) -> None:
    moments = [datetime(1973, 6, 1), datetime(2024, 1, 2, 3, 4, 5), datetime(2099, 1, 1)]
    cells = [str(int(moment.replace(tzinfo=UTC).timestamp()) * unit) for moment in moments]
    assert read(*cells) == [moment.isoformat() for moment in moments]


def test_calendar_numbers_are_never_epochs() -> None:
    assert read("2024010200", "2024010201") == ["2024-01-02T00:00:00", "2024-01-02T01:00:00"]
    assert read("202401020000", "202401020001")[1] == "2024-01-02T00:01:00"
    assert read("19991231", "20000101") == ["1999-12-31T00:00:00", "2000-01-01T00:00:00"]
    assert read("200131", "200203") == ["2020-01-31T00:00:00", "2020-02-03T00:00:00"]
    assert read("200011", "200012") == ["2000-11-01T00:00:00", "2000-12-01T00:00:00"]


def test_fractions_keep_their_nanoseconds() -> None:
    assert parse("2020-03-01T00:00:00.123456789").time[0] == np.datetime64("2020-03-01T00:00:00.123456789")
    assert parse("1583020800.123456789").time[0] == np.datetime64("2020-03-01T00:00:00.123456789")
    assert parse("2020-03-01T00:00:00.5Z", "2020-03-01T00:00:01Z").time[0] == np.datetime64("2020-03-01T00:00:00.5")


def test_a_naive_time_of_day_is_utc_and_said_once() -> None:
    found = parse("2020-03-01 00:00", "2020-03-01 01:00", "2020-03-01 02:00")
    assert str(found.time[1])[:16] == "2020-03-01T01:00"
    assert found.notes == ("x.csv: time stamps without a zone are taken as UTC (--timezone sets another)",)
    assert parse("2020-03-01", "2020-03-02").notes == ()


def test_a_zone_of_ones_own_knows_summer_time() -> None:
    found = parse("2020-03-06 09:30", "2020-03-09 09:30", timezone="America/New_York")
    assert [str(time)[:16] for time in found.time] == ["2020-03-06T14:30", "2020-03-09T13:30"]
    assert (found.zone, found.notes) == ("America/New_York", ())
    with pytest.raises(UsageError, match=r"no time zone 'Mars'"):
        parse("2020-03-06 09:30", timezone="Mars")


def test_offsets_across_summer_time_become_utc_and_name_their_zone() -> None:
    found = parse("2020-03-06T00:00:00-05:00", "2020-03-09T00:00:00-04:00")
    assert [str(time)[:16] for time in found.time] == ["2020-03-06T05:00", "2020-03-09T04:00"]
    assert (found.zone, found.notes) == ("America/New_York", ())
    assert parse("2024-01-02T00:00:00+0530").zone == "Asia/Kolkata"
    assert parse("2024-01-02T00:00:00+0545").zone == "+05:45"


@pytest.mark.parametrize(
    ("written", "utc", "zone"),
    [
        ("2023-03-25 23:00 GMT|2023-03-26 02:00 BST", "2023-03-25T23:00|2023-03-26T01:00", "Europe/London"),
        ("2023-06-01 02:00 CEST|2023-12-01 02:00 CET", "2023-06-01T00:00|2023-12-01T01:00", "Europe/Berlin"),
        ("2023-01-03T10:00PST|2023-07-03T10:00PDT", "2023-01-03T18:00|2023-07-03T17:00", "America/Los_Angeles"),
        ("2023-01-03 10:00 (AEDT)|2023-07-03 10:00 (AEST)", "2023-01-02T23:00|2023-07-03T00:00", "Australia/Sydney"),
        ("2023-01-03 10:00 GMT|2023-01-03 10:00 UTC", "2023-01-03T10:00|2023-01-03T10:00", "UTC"),
        ("2023-07-03 10:00 US/Eastern|2023-12-01 10:00 US/Eastern", "2023-07-03T14:00|2023-12-01T15:00", "US/Eastern"),
    ],
)
def test_every_stamp_has_the_zone_of_its_own_name(written: str, utc: str, zone: str) -> None:
    found = parse(*written.split("|"))
    assert [str(time)[:16] for time in found.time] == utc.split("|")
    assert (found.zone, found.notes, found.naive) == (zone, (), False)


def test_names_tell_the_two_hours_apart_that_clocks_show_twice() -> None:
    found = parse("2023-11-05 01:00 EDT", "2023-11-05 01:00 EST", "2023-11-05 02:00 EST")
    assert [str(time)[11:16] for time in found.time] == ["05:00", "06:00", "07:00"]
    assert found.zone == "America/New_York"
    assert str(parse("2023-11-05 01:00 EST", "2023-11-05 02:00 EST").time[0])[11:16] == "06:00"


def test_a_name_that_clocks_do_not_have_on_the_day_is_what_they_show_and_is_said() -> None:
    found = parse("2023-07-03 09:30 EST", "2023-12-01 09:30 EST")
    assert [str(time)[11:16] for time in found.time] == ["13:30", "14:30"]
    assert found.notes == ("x.csv, line 0: EST is read as the time of America/New_York, which is not EST on that day",)


def test_stamps_of_several_zones_are_each_read_in_their_own() -> None:
    found = parse(*["2023-01-03 10:00 UTC"] * 100, "2023-01-03 10:00 EST")
    assert [str(time)[11:16] for time in found.time[99:]] == ["10:00", "15:00"]
    assert found.zone == "UTC"
    assert found.notes == ("x.csv, line 0: stamps of several zones, EST, UTC, are read each in its own",)
    with pytest.raises(DataError, match=r"x.csv, line 1: no time zone 'Mars/Base'"):
        parse("2023-01-03 10:00 UTC", "2023-01-03 11:00 Mars/Base")


def month(first: str, days: int) -> list[date]:
    start = date.fromisoformat(first)
    return [start + timedelta(days=i) for i in range(days)]


@pytest.mark.parametrize("style", ["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%y", "%m/%d/%y", "%d.%m.%Y"])
def test_a_day_above_twelve_tells_which_is_the_month(style: str) -> None:
    days = month("2024-01-02", 40)
    assert read(*(day.strftime(style) for day in days)) == [f"{day}T00:00:00" for day in days]


@pytest.mark.parametrize("style", ["%d/%m/%Y", "%m/%d/%Y"])
def test_the_spacing_tells_where_days_do_not(style: str) -> None:
    monthly = [date(2019 + i // 12, i % 12 + 1, 1) for i in range(30)]
    assert read(*(day.strftime(style) for day in monthly)) == [f"{day}T00:00:00" for day in monthly]


def test_dates_that_can_be_read_both_ways_are_refused_with_both_readings() -> None:
    cells = ["01/02/2024", "01/03/2024", "01/04/2024"]
    with pytest.raises(DataError) as error:
        parse(*cells)
    assert str(error.value) == (
        "x.csv, line 0: '01/02/2024' can be read in two ways, and the spacing of the bars does not tell which is "
        "meant: %d/%m/%Y begins with 2024-02-01, %m/%d/%Y begins with 2024-01-02; give --date-format '%d/%m/%Y' or "
        "'%m/%d/%Y'"
    )
    assert read(*cells, date_format="%d/%m/%Y")[1] == "2024-03-01T00:00:00"
    assert read(*cells, dates=MONTH_FIRST)[1] == "2024-01-03T00:00:00"
    assert read(*cells, dates=DAY_FIRST)[1] == "2024-03-01T00:00:00"
    assert read("01.02.2024", "01.03.2024")[1] == "2024-03-01T00:00:00"  # full stops: the day is first


def test_what_is_inferred_is_said() -> None:
    assert parse("31/01/2020", "03/02/2020").notes == ("x.csv: the date '31/01/2020' is read as 2020-01-31",)
    assert parse("2020/01/31").notes == ()


@pytest.mark.parametrize("cell", ["", "abc", "12", "2701", "1.5", "3 4 5", "NaT", "now", "9" * 30, "1e300"])
def test_what_is_no_date(cell: str) -> None:
    with pytest.raises(DataError, match=r"x.csv, line 0: .* is not a date.*--date-format"):
        read(cell)


@pytest.mark.parametrize("first", ["2020-03-01", "1583020800", "18-Aug-2017"])
def test_a_single_cell_that_does_not_fit_is_named(first: str) -> None:
    assert parse(first, "soon").unreadable == {1: "'soon' is not a date"}


def test_many_cells_that_do_not_fit_are_a_misread_format() -> None:
    with pytest.raises(DataError, match=r"line 2: '2020-13-01' is not a date as '2020-03-01' is, nor are 1 more of 4"):
        parse("2020-03-01", "2020-03-02", "2020-13-01", "2020-13-02")


@pytest.mark.parametrize("cell", ["1e400", "9" * 25 + "e0", "nan"])
def test_a_number_beyond_all_epochs_is_no_date_wherever_it_stands(cell: str) -> None:
    assert parse("1672704000", "1.6727904e9", cell).unreadable == {2: f"'{cell}' is not a date"}
    if cell != "nan":
        assert parse(cell, "1672704000", "1672790400").unreadable == {0: f"'{cell}' is not a date"}


def test_epochs_of_two_units_are_not_mixed() -> None:
    with pytest.raises(DataError, match=r"x.csv, line 1: '1583020800000' is not a date"):
        read("1583020800", "1583020800000")


@pytest.mark.parametrize(
    "cells",
    [
        ("2020-03-01", "2020-03-02T00:00Z"),
        ("2020-03-01T00:00Z", "2020-03-02T00:00"),
        ("2020-03-01 00:00 EST", "2020-03-02 00:00"),
        ("2020-03-01 00:00", "2020-03-02 00:00 EST"),
        ("13/01/2020 00:00", "14/01/2020 00:00 GMT"),
    ],
)
def test_stamps_with_and_without_a_zone_are_not_mixed(cells: tuple[str, str]) -> None:
    with pytest.raises(DataError, match=rf"x.csv, line 1: mixed time zones: .*{cells[1][:6]}"):
        read(*cells)


def test_a_format_of_ones_own() -> None:
    assert read("03/04/2020", date_format="%d/%m/%Y") == ["2020-04-03T00:00:00"]
    assert read("5", date_format="s") == ["1970-01-01T00:00:05"]
    assert read("202401", date_format="%Y%m") == ["2024-01-01T00:00:00"]
    with pytest.raises(UsageError, match=r"--date-format '%Q'"):
        read("03/04/2020", date_format="%Q")
    with pytest.raises(DataError, match=r"is not a date in the format %Y-%m-%d"):
        parse("1/2/20", "1/3/20", date_format="%Y-%m-%d")


def test_times_of_day_in_a_column_of_their_own() -> None:
    found = parse("2020.03.01", "2020.03.01", clocks=["0:00", "23:59"])
    assert [str(time)[:16] for time in found.time] == ["2020-03-01T00:00", "2020-03-01T23:59"]
    with pytest.raises(DataError, match=r"line 0: '25:00' in column 'Time' is not a time of day"):
        parse("2020-03-01", "2020-03-02", clocks=["25:00", "25:01"])


@pytest.mark.parametrize("cells", [("1.67262E+12", "1.67270E+12"), ("1.672531E+09", "1.672618E+09"), ("2.02301E+11",)])
def test_epochs_that_a_spreadsheet_rounded_do_not_tell_the_time(cells: tuple[str, ...]) -> None:
    with pytest.raises(DataError, match=r"line 0: .* has too few digits to tell the time"):
        parse(*cells)


def test_epochs_with_an_exponent_are_read_where_they_have_all_digits() -> None:
    assert read("1.6726176E+12", "1.672704E+12") == ["2023-01-02T00:00:00", "2023-01-03T00:00:00"]
    assert read("1.672617601E+12", "1.672704E+12")[0] == "2023-01-02T00:00:01"


@pytest.mark.parametrize(
    ("cell", "seconds"),
    [
        ("9:30", 34_200),
        ("09:30:15.5", 34_215.5),
        ("12:05 AM", 300),
        ("12:05 p.m.", 43_500),
        ("093015", 34_215),
        ("93015", 34_215),
        ("930", 34_200),
        ("0", 0),
        ("24:00", None),
        ("13:00 PM", None),
        ("soon", None),
    ],
)
def test_seconds_of_a_day(cell: str, seconds: float | None) -> None:
    assert seconds_of_day(cell) == seconds


@given(
    st.datetimes(datetime(1900, 1, 1), datetime(2200, 1, 1)),
    st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
def test_any_offset_gives_the_same_moment_in_utc(moment: datetime, zone: timezone) -> None:
    moment = moment.replace(microsecond=0, tzinfo=UTC)
    assert read(moment.astimezone(zone).isoformat()) == [moment.replace(tzinfo=None).isoformat()]


FORMATS = (
    *("%Y-%m-%d", "%d.%m.%Y", "%d-%b-%Y", "%B %d, %Y", "%Y%m%d"),
    *("%Y/%m/%d %H:%M", "%d %b %Y %H:%M:%S", "%Y%m%d%H%M"),
)


@given(st.sampled_from(FORMATS), st.datetimes(datetime(1900, 1, 1), datetime(2099, 1, 1)), st.integers(1, 400))
def test_what_was_written_in_any_format_is_read(style: str, first: datetime, count: int) -> None:
    moments = [(first + timedelta(days=i)).replace(second=0, microsecond=0) for i in range(count)]
    written = [moment.strftime(style) for moment in moments]
    assert read(*written) == [datetime.strptime(cell, style).isoformat() for cell in written]
