"""Times of day in a column of their own: hours, minutes, zones behind them, and what is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from marketsim.data import open_source
from marketsim.data.reading.clocks import ClockCells
from marketsim.data.reading.timestamps import Stamps, parse_stamps
from marketsim.errors import DataError


def test_hours_whose_minutes_have_a_column_of_their_own_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"X.csv: 'Hour' and 'Minute' are two columns; write 09:30 in one, Time"):
        times_of(tmp_path, "Hour,Minute", "9,30", "10,30")
    assert times_of(tmp_path, "Hour,Minute", "9,00", "10,00") == ["09:00", "10:00"]


def stamps(*dates: str, clocks: list[str], column: str = "Time") -> Stamps:
    times = ClockCells(np.array(clocks, dtype=object), column)
    return parse_stamps(np.array(dates, dtype=object), "x.csv, line {}".format, "x.csv", clocks=times)


def times_of(path: Path, column: str, *clocks: str) -> list[str]:
    """What is read of a file with these times of day."""
    rows = [f"2023-01-03,{clock},100,110,90,10{i}" for i, clock in enumerate(clocks)]
    (path / "X.csv").write_text("\n".join([f"Date,{column},Open,High,Low,Close", *rows]) + "\n")
    return [str(time)[11:16] for time in open_source("files", str(path / "X.csv")).load("X").time]


def test_a_column_of_a_file_is_read_by_its_name_and_never_passed_over(tmp_path: Path) -> None:
    assert times_of(tmp_path, "Hour", "0", "1", "2") == ["00:00", "01:00", "02:00"]
    assert times_of(tmp_path, "Time", "10:00 EST", "11:00 EST") == ["15:00", "16:00"]
    assert times_of(tmp_path, "Time", "10:00-05:00", "11:00-05:00") == ["15:00", "16:00"]
    with pytest.raises(DataError, match=r"X.csv, line 2, column 'Date': '0h' in column 'Hour' is not a time of day"):
        times_of(tmp_path, "Hour", "0h", "1h")


@pytest.mark.parametrize(
    ("column", "clocks", "hours"),
    [
        ("Hour", ["0", "9", "23"], [0, 9, 23]),
        ("hour", ["00", "09", "23"], [0, 9, 23]),
        ("Stunde", ["9.0", "10.0", "11.0"], [9, 10, 11]),
        ("Hour", ["0", "900", "2300"], [0, 9, 23]),
        ("Time", ["0", "30", "100"], [0, 0.5, 1]),
        ("Time", ["0", "0", "0"], [0, 0, 0]),
        ("Hour", ["9:00", "10:00", "11:00"], [9, 10, 11]),
    ],
)
def test_bare_numbers_are_hours_where_the_column_says_so(column: str, clocks: list[str], hours: list[float]) -> None:
    found = stamps(*["2023-07-03"] * 3, clocks=clocks, column=column)
    assert [(time - np.datetime64("2023-07-03")) / np.timedelta64(1, "h") for time in found.time] == hours


def test_bare_numbers_that_may_be_minutes_or_end_an_hour_are_refused() -> None:
    with pytest.raises(DataError, match=r"x.csv, column 'Time': '9' may be an hour or a minute"):
        stamps("2023-07-03", "2023-07-03", clocks=["0", "9"])
    with pytest.raises(DataError, match=r"column 'Hour': hours up to 24 are those at which bars end"):
        stamps(*["2023-07-03"] * 24, clocks=[str(hour) for hour in range(1, 25)], column="Hour")


@pytest.mark.parametrize(
    ("clock", "utc", "zone"),
    [
        ("10:00 EST", "15:00", "America/New_York"),
        ("10:00-05:00", "15:00", "America/New_York"),
        ("10:00:00 +0530", "04:30", "Asia/Kolkata"),
        ("10:00Z", "10:00", "UTC"),
        ("10:00 AM GMT", "10:00", "UTC"),
    ],
)
def test_times_of_day_with_a_zone(clock: str, utc: str, zone: str) -> None:
    found = stamps("2023-01-03", "2023-01-04", clocks=[clock, clock])
    assert [str(time)[:16] for time in found.time] == [f"2023-01-03T{utc}", f"2023-01-04T{utc}"]
    assert (found.zone, found.notes, found.naive) == (zone, (), False)
    with pytest.raises(DataError, match=r"line 1: mixed time zones: '10:00' has none"):
        stamps("2023-01-03", "2023-01-04", clocks=[clock, "10:00"])


def test_times_of_day_with_offsets_across_summer_time() -> None:
    found = stamps("2020-03-06", "2020-03-09", clocks=["09:30-05:00", "09:30-04:00"])
    assert [str(time)[11:16] for time in found.time] == ["14:30", "13:30"]
    assert (found.zone, found.notes) == ("America/New_York", ())
