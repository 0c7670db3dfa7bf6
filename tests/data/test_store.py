"""The store: what is written is read back, and nothing else is."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.data import open_source, read_bars, store
from marketsim.data.calendars.timeframe import parse_timeframe
from marketsim.data.parquet import write_bars
from marketsim.data.store import Origin, Store, StoredBars, StoreSource
from marketsim.data.symbols import fetch_command
from marketsim.errors import DataError, MarketsimError, UsageError

ORIGIN = Origin("AAPL", "1d", "yahoo", "AAPL", False, "America/New_York", "adjusted for splits and dividends")
TIMES = np.array(["2024-01-04T05:00", "2024-01-05T05:00", "2024-01-08T05:00"], "datetime64[s]")
OHLCV = np.array([[10, 12, 9, 11, 5], [11, 13, 10, 12, np.nan], [12, 14, 11, 13, 7]])
STORED = StoredBars(ORIGIN, np.datetime64("2024-01-01T00:00:00"), TIMES, OHLCV)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = Store(str(tmp_path)).file("AAPL", parse_timeframe("1d"))
    store.write(path, STORED)
    return path


def test_what_is_written_is_read_back(file: Path) -> None:
    found = store.read(file)
    assert found is not None
    assert (found.origin, found.since, found.digest) == (ORIGIN, STORED.since, STORED.digest)
    np.testing.assert_array_equal(found.time, TIMES)
    np.testing.assert_array_equal(found.ohlcv, OHLCV)
    assert store.read(file.with_name("MSFT-1d.parquet")) is None
    assert [path.name for path in file.parent.iterdir()] == ["AAPL-1d.parquet"]


@pytest.mark.parametrize(
    "other",
    [
        replace(STORED, since=STORED.since + 1),
        replace(STORED, origin=replace(ORIGIN, zone="UTC")),
        replace(STORED, time=TIMES + 1),
        replace(STORED, ohlcv=OHLCV + 1e-12),
    ],
)
def test_the_digest_is_of_all_that_is_kept(other: StoredBars) -> None:
    assert other.digest != STORED.digest


def test_no_byte_of_a_file_can_change_unnoticed(file: Path) -> None:
    """Every flipped bit is either found or in a part that says nothing of the bars."""
    whole = bytearray(file.read_bytes())
    found = 0
    for at in range(0, len(whole), 31):
        damaged = whole.copy()
        damaged[at] ^= 1 << at % 8
        file.write_bytes(damaged)
        try:
            read = store.read(file)
        except DataError:
            found += 1
        else:
            assert read is not None and (read.digest, read.origin) == (STORED.digest, ORIGIN)
    assert found > len(whole) / 31 / 2


@pytest.mark.parametrize("content", [b"", b"PAR1", b"not a table", bytes(4_000)])
def test_what_is_no_file_of_a_store(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    with pytest.raises(
        DataError, match=r"is damaged, or not a file of a store: 'marketsim data fetch AAPL --timeframe 1d"
    ):
        store.read(file)


def test_a_write_that_fails_leaves_the_old_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MarketsimError, match=r"AAPL-1d.parquet: no space left on device"):
        store.write(file, replace(STORED, ohlcv=OHLCV * 2))
    found = store.read(file)
    assert found is not None and found.digest == STORED.digest
    assert [path.name for path in file.parent.iterdir()] == ["AAPL-1d.parquet"]


def test_the_store_is_a_source(file: Path) -> None:
    for name in ("ETHUSDT-1h.parquet", "notes-x.parquet", "readme.txt"):
        (file.parent / name).write_bytes(b"")
    source = StoreSource(str(file.parent))
    assert source.symbols() == ["AAPL"]
    bars = source.load("aapl")
    assert bars.names().tolist() == ["2024-01-04", "2024-01-05", "2024-01-08"]
    assert (bars.source, bars.timetable.zone, bars.gaps) == (
        "store (yahoo, AAPL, 1d, adjusted for splits and dividends)",
        "America/New_York",
        0,
    )
    with pytest.raises(DataError) as error:
        source.load("MSFT")
    assert str(error.value) == "no 1d bars of MSFT in the store; 'marketsim data fetch MSFT --from yahoo' fetches them"
    with pytest.raises(
        DataError, match=r"no 1d bars of ETHUSDT in the store \(there are bars of 1h\); 'marketsim data"
    ):
        source.load("ETH/USDT")


def test_the_command_that_fetches() -> None:
    assert fetch_command("ETHUSDT", "1h") == ("marketsim data fetch ETHUSDT --from ccxt:binance --timeframe 1h")


@pytest.mark.parametrize(
    ("text", "name", "seconds"),
    [
        ("1d", "1d", 86_400),
        ("60m", "1h", 3_600),
        ("24h", "1d", 86_400),
        ("7d", "1w", 604_800),
        ("1M", "1mo", 2_629_746),
    ],
)
def test_timeframes(text: str, name: str, seconds: int) -> None:
    found = parse_timeframe(text)
    assert (str(found), found.seconds) == (name, seconds)


@pytest.mark.parametrize("text", ["", "1", "d", "0d", "1y", "1.5h", "-1d"])
def test_what_is_no_timeframe(text: str) -> None:
    with pytest.raises(UsageError, match=r"is not a timeframe; timeframes look like 1m"):
        parse_timeframe(text)


def test_a_file_of_a_store_is_read_by_the_store_alone(file: Path) -> None:
    with pytest.raises(DataError, match=rf"a file of the store, which '--source store --data {file.parent}' reads"):
        read_bars(file)
    bars = open_source("sample").load("NVDA")
    with pytest.raises(DataError, match="not written by marketsim"):
        write_bars(bars, file)


def test_bars_that_are_written_for_others_can_be_read_by_them(tmp_path: Path) -> None:
    previous = os.umask(0o022)
    try:
        write_bars(open_source("sample").load("NVDA"), tmp_path / "NVDA.parquet")
    finally:
        os.umask(previous)
    assert (tmp_path / "NVDA.parquet").stat().st_mode & 0o777 == 0o644
    assert [path.name for path in tmp_path.iterdir()] == ["NVDA.parquet"]
