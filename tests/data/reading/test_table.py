"""The reader of tables: every bad input is one clear line, and what is read is exactly what was written."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.data.reading.read_options import ReadOptions
from marketsim.errors import DataError, MissingExtra

HEADER = "date,open,high,low,close,volume\n"
ROW_1, ROW_2, ROW_3 = (f"2020-01-0{day},100,110,90,10{day},7\n" for day in (1, 2, 3))


def load(path: Path, text: str | bytes, on_bad_bars: str = "error") -> Bars:
    """The bars of X.csv with these contents."""
    path = path / "X.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return open_source("files", str(path), ReadOptions(on_bad_bars)).load("X")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ": an empty file"),
        ("\n# source: nothing\n\n", ": an empty file"),
        (HEADER, ": no bars under the header"),
        (b"\0\1\2\n", ", line 1: a binary file"),
        (b"PAR1\0\1\2\n", ": not a readable table"),
        (b"date,open\n\xff\xfe", ", line 2: byte 0xff is not UTF-8"),
        ("date,open,hi,low,close\n", ": no column high; the header has 'date', 'open', 'hi', 'low', 'close'"),
        ("dy,open,high,low\n", ": no column date (or datetime, timestamp, open time, time), close;"),
        (
            "d;o;hi;lo;x\n",
            ": no column date (or datetime, timestamp, open time, time), high, low, close;",
        ),
        ("date,open,high,low,close,Close\n", ": column 'close' occurs twice"),
        (HEADER + "\n\n" + ROW_2 + ROW_3 + ROW_1, ", line 6, column 'date'"),
        ("# a\n" + HEADER + ROW_2 + ROW_3 + ROW_1, ", line 5, column 'date'"),
        (HEADER + ROW_2 + ROW_3 + ROW_1, ", line 4, column 'date': 2020-01-01T00:00:00 comes after 2020-01-03"),
        ("symbol," + HEADER + "\x1b[31m," + ROW_2, r", line 2, column 'symbol': '\x1b[31m' is not a symbol"),
    ],
)
def test_a_bad_file_is_one_line_that_says_where(tmp_path: Path, text: str | bytes, words: str) -> None:
    expect_error(tmp_path, text, words)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("2020-01-02,1,2", ", a row of 3 cells, where others have 6"),
        ("2020-01-02,1,2,1,1,5,6", ": 7 cells under a header of 6"),
        ('2020-01-02,"1,2,1,1,5', ": unexpected end of data"),
        ("2020-01-02,100,abc,90,105,7", ", column 'high': 'abc' is not a number"),
        ("2020-01-02,100,\x1b[31m,90,105,7", r", column 'high': '\x1b[31m' is not a number"),
        ('2020-01-02,"1,00,0",1,1,1,7', ", column 'open': '1,00,0' is not a number"),
        ("2020-01-02,100,110,90,105,many", ", column 'volume': 'many' is not a number"),
        ("2020-01-02,nan,110,90,105,7", ", column 'open': nan is not a positive, finite price"),
        ("2020-01-02,100,inf,90,105,7", ", column 'high': inf is not a positive, finite price"),
        ("2020-01-02,100,110,0,105,7", ", column 'low': 0.0 is not a positive, finite price"),
        ("2020-01-02,100,110,90,-5,7", ", column 'close': -5.0 is not a positive, finite price"),
        ("2020-01-02,100,80,90,105,7", ", column 'high': 80.0 is below the low"),
        ("2020-01-02,100,104,90,105,7", ", column 'high': 104.0 is below the open or the close"),
        ("2020-01-02,100,110,101,105,7", ", column 'low': 101.0 is above the open or the close"),
        ("2020-01-02,100,110,90,105,-7", ", column 'volume': -7.0 is negative or infinite"),
        ("2020-01-01,100,110,90,105,7", ", column 'date': 2020-01-01T00:00:00 occurs twice"),
        ("soon,100,110,90,105,7", ", column 'date': 'soon' is not a date"),
        ("2020-01-02T00:00Z,1,1,1,1,7", ", column 'date': mixed time zones"),
    ],
)
def test_a_bad_row_is_one_line_that_says_where(tmp_path: Path, row: str, words: str) -> None:
    expect_error(tmp_path, HEADER + ROW_1 + row + "\n", f", line 3{words}")


def test_an_hour_that_clocks_show_twice_is_no_bad_row(tmp_path: Path) -> None:
    rows = [f"2023-11-05 {hour},100,110,90,100,7" for hour in ("00:00", "01:00", "01:00", "02:00")]
    (tmp_path / "X.csv").write_text(HEADER + "\n".join(rows))
    with pytest.raises(DataError) as error:
        open_source("files", str(tmp_path / "X.csv"), ReadOptions(timezone="America/New_York")).load("X")
    assert str(error.value).endswith(
        ", line 4, column 'date': 2023-11-05T05:00:00 occurs twice: the clocks of America/New_York show that hour "
        "twice; stamps with offsets, or in UTC, tell the two apart"
    )
    with pytest.raises(DataError, match=r"occurs twice \(--on-bad-bars drop leaves bad rows out\)"):
        load(tmp_path, HEADER + ROW_1 + ROW_1)


def expect_error(path: Path, text: str | bytes, words: str) -> None:
    with pytest.raises(DataError) as error:
        load(path, text)
    assert f"X.csv{words}" in str(error.value)
    assert str(error.value).isprintable()


@pytest.mark.parametrize(
    "bad",
    [
        "2020-01-02,,110,90,105,7\n",
        "2020-01-02,abc,110,90,105,7\n",
        "2020-01-02,100,110,90,105,many\n",
        "2020-01-02,0,0,0,0,0\n",
        "2020-01-02,nan,110,90,105,7\n",
        "2020-01-02,100,80,90,105,7\n",
        "2020-01-02,1,2\n",
        ROW_1,
    ],
)
def test_bad_rows_are_dropped_and_counted_when_asked_to(tmp_path: Path, bad: str) -> None:
    bars = load(tmp_path, HEADER + ROW_1 + bad + ROW_3, "drop")
    assert bars.time.astype("datetime64[D]").astype(str).tolist() == ["2020-01-01", "2020-01-03"]
    assert bars.dropped == 1
    assert len(bars.notes) == 1
    assert bars.notes[0].startswith(f"X: 1 bad row left out, the first at {tmp_path}")
    assert "line 3, " in bars.notes[0]


@pytest.mark.parametrize(
    "text",
    [
        "DATE,Open,HIGH,low,Close,Volume\n2020-01-01,1,4,0.5,2,7\n",
        "close,volume,adj close,low,high,open,Open Time\n2,7,nonsense,0.5,4,1,1577836800000\n",
        ",open,high,low,close,volume\n2020-01-01,1,4,0.5,2,7\n",
        ",date,close,high,low,open,volume\n2701,2020-01-01,2,4,0.5,1,7\n",
        "\ufeffdate,open,high,low,close,volume\r\n2020-01-01,1,4,0.5,2,7\r\n",
        '# source: me\n#\n"date","open","high","low","close","volume"\n"2020-01-01","1","4"," 0.5","2","7"\n',
    ],
)
def test_columns_in_any_case_and_order(tmp_path: Path, text: str) -> None:
    bars = load(tmp_path, text)
    assert bars.time.astype(str).tolist() == ["2020-01-01T00:00:00"]
    assert bars.ohlcv.tolist() == [[1.0, 4.0, 0.5, 2.0, 7.0]]


def test_volume_is_optional_as_a_column_and_in_a_row(tmp_path: Path) -> None:
    assert np.isnan(load(tmp_path, "date,open,high,low,close\n2020-01-01,1,1,1,1\n").volume).all()
    volumes = ["", "NaN", "null", "3"]
    rows = [f"2020-01-0{day},1,1,1,1,{volume}\n" for day, volume in enumerate(volumes, 1)]
    np.testing.assert_array_equal(load(tmp_path, HEADER + "".join(rows)).volume, [np.nan, np.nan, np.nan, 3])


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], list[list[float]]]:
    """Stamps in seconds, and as many good bars of any positive floats."""
    stamps = sorted(draw(st.sets(st.integers(10**9, 2 * 10**9), min_size=1, max_size=20)))
    price = st.floats(min_value=1e-300, max_value=1e300)
    rows = []
    for _ in stamps:
        low, *inside, high = sorted(draw(st.lists(price, min_size=4, max_size=4)))
        open_, close = draw(st.permutations(inside))
        rows.append([open_, high, low, close, draw(st.floats(0, 1e300) | st.just(np.nan))])
    return stamps, rows


@settings(max_examples=50)
@given(tables())
def test_round_trip_is_exact(tmp_path_factory: pytest.TempPathFactory, table: tuple[list[int], list[Any]]) -> None:
    path = tmp_path_factory.mktemp("table") / "X.csv"
    with path.open("w", newline="") as file:
        rows = ([stamp, *row] for stamp, row in zip(*table, strict=True))
        csv.writer(file).writerows([HEADER.strip().split(","), *rows])
    bars = open_source("files", str(path)).load("X")
    assert bars.time.astype(np.int64).tolist() == table[0]
    np.testing.assert_array_equal(bars.ohlcv, table[1])
    assert bars.ohlcv.flags.c_contiguous


def test_missing_and_unreadable_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DataError, match=r"none.csv: no such file or directory"):
        open_source("files", str(tmp_path / "none.csv")).load("X")
    (tmp_path / "empty.csv").touch()
    with pytest.raises(DataError, match=r"empty.csv: an empty file"):
        open_source("files", str(tmp_path / "empty.csv")).load("X")
    load(tmp_path, HEADER + ROW_1)

    def denied(self: Path, mode: str = "r") -> bytes:
        raise PermissionError(13, os.strerror(13), str(self))

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(DataError, match=r"X.csv: permission denied"):
        open_source("files", str(tmp_path / "X.csv")).load("X")


def test_a_file_name_reaches_no_terminal_raw(tmp_path: Path) -> None:
    path = tmp_path / "a\x1b[31m\nb.csv"
    path.write_text("")
    with pytest.raises(DataError) as error:
        open_source("files", str(path)).load("X")
    assert str(error.value).isprintable()


def test_parquet_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    (tmp_path / "X.parquet").write_bytes(b"PAR1")
    with pytest.raises(MissingExtra, match=r"Parquet and Feather files needs the extra 'parquet'"):
        open_source("files", str(tmp_path)).load("X")


class TestParquet:
    """The same rules as for CSV."""

    @pytest.fixture
    def pandas(self) -> Any:
        pytest.importorskip("pyarrow", reason="Parquet is read with the extra 'parquet'")
        return pytest.importorskip("pandas")

    def write(self, pandas: Any, path: Path, **columns: Any) -> Any:
        good = {"Open": [1.1, 2.0], "HIGH": [4.0, 4.0], "low": [0.5, 0.5], "Close": [2.0, 2.0]}
        frame = pandas.DataFrame(good | columns)
        frame.to_parquet(path / "X.parquet")
        return frame

    @pytest.mark.parametrize("zone", [None, "UTC", "America/New_York"])
    def test_columns_and_time_zones(self, pandas: Any, tmp_path: Path, zone: str | None) -> None:
        date = pandas.to_datetime(["2020-03-07", "2020-03-09"], utc=True)  # summer time starts between them
        date = date.tz_convert(zone) if zone else date.tz_localize(None)
        self.write(pandas, tmp_path, date=date)
        bars = open_source("files", str(tmp_path)).load("X")
        assert bars.time.astype(str).tolist() == ["2020-03-07T00:00:00", "2020-03-09T00:00:00"]
        assert bars.ohlcv[:, :4].tolist() == [[1.1, 4.0, 0.5, 2.0], [2.0, 4.0, 0.5, 2.0]]
        assert np.isnan(bars.volume).all()

    @pytest.mark.parametrize("name", [None, "Date"])
    def test_time_in_the_index(self, pandas: Any, tmp_path: Path, name: str | None) -> None:
        frame = self.write(pandas, tmp_path)
        frame.index = pandas.DatetimeIndex(["2020-01-01", "2020-01-02"], name=name)
        frame.to_parquet(tmp_path / "X.parquet")
        assert str(open_source("files", str(tmp_path)).load("X").time[1]) == "2020-01-02T00:00:00"

    def test_a_column_of_symbols(self, pandas: Any, tmp_path: Path) -> None:
        self.write(pandas, tmp_path, date=["2020-01-01", "2020-01-01"], ticker=["eth-usd", "AAPL"])
        source = open_source("files", str(tmp_path))
        assert source.symbols() == ["AAPL", "ETHUSD"]
        assert source.load("AAPL").open.tolist() == [2.0]

    def test_a_bad_value_is_named_by_its_row(self, pandas: Any, tmp_path: Path) -> None:
        self.write(pandas, tmp_path, date=["2020-01-01", "2020-01-02"], Close=[2.0, None])
        with pytest.raises(DataError, match=r"X.parquet, row 2, column 'close': nan is not a positive"):
            open_source("files", str(tmp_path)).load("X")

    @pytest.mark.parametrize("content", [b"", b"date,open\n", b"PAR1garbagePAR1"])
    def test_what_is_no_parquet(self, pandas: Any, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "X.parquet").write_bytes(content)
        with pytest.raises(DataError, match=r"X.parquet: (an empty file|not a readable table|no column high)") as error:
            open_source("files", str(tmp_path)).load("X")
        assert "\n" not in str(error.value)
