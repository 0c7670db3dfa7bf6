"""Columns that could be taken for what they are not: quotes, adjusted closes, identifiers, names that stand twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from marketsim.data import open_source
from marketsim.data.reading.read_options import ReadOptions
from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError
from tests.data.reading.written import STOCK, day, document, ohlcv, table

HEADER = "Date,Open,High,Low,Close,Volume"


@pytest.mark.parametrize(
    "header",
    [
        "Date,Bid Open,Bid High,Bid Low,Bid Close,Ask Open,Ask High,Ask Low,Ask Close",
        ",Bid,Bid,Bid,Bid,Ask,Ask,Ask,Ask\nDate,Open,High,Low,Close,Open,High,Low,Close",
    ],
)
def test_bid_and_ask_are_no_symbols(tmp_path: Path, header: str) -> None:
    path = tmp_path / "EURUSD.csv"
    path.write_bytes(table(STOCK, header, lambda row: (day(row), *ohlcv(row)[:4], *ohlcv(row)[:4])))
    with pytest.raises(DataError, match=r"EURUSD.csv: prices of 'Bid' and 'Ask'; the header has .*name the four"):
        open_source("files", str(path)).load("EURUSD")


def test_an_adjusted_close_in_place_of_the_close_is_said(tmp_path: Path) -> None:
    path = tmp_path / "NVDA.csv"
    path.write_bytes(table(STOCK, "Date,Open,High,Low,Adj Close", lambda row: (day(row), *ohlcv(row)[:4])))
    (note,) = open_source("files", str(path)).load("NVDA").notes
    assert "there is no close but 'Adj Close', which is taken for it" in note


def test_bars_without_the_adjusted_close_that_others_have_are_named(tmp_path: Path) -> None:
    early, late = STOCK[:30], STOCK[30:]
    factor = {row.time: 0.5 + 0.01 * i for i, row in enumerate(early)}
    cells = table(early, f"{HEADER},Adj Close", lambda row: (day(row), *ohlcv(row), row.close * factor[row.time]))
    (tmp_path / "NVDA-1.csv").write_bytes(cells)
    (tmp_path / "NVDA-2.csv").write_bytes(table(late, HEADER, lambda row: (day(row), *ohlcv(row))))
    with pytest.raises(
        DataError, match=r"NVDA-2.csv, line 2, column 'close': no adjusted close, which other bars have"
    ):
        open_source("files", str(tmp_path)).load("NVDA")
    assert len(open_source("files", str(tmp_path), ReadOptions(adjust="none")).load("NVDA")) == len(STOCK)


def test_an_isin_parts_instruments_and_names_none_alone(tmp_path: Path) -> None:
    codes = ("US0378331005", "DE0007164600")
    for name, there in (("AAPL", codes[:1]), ("both", codes)):
        lines = [f"{code},{day(row)},{','.join(map(str, ohlcv(row)))}" for row in STOCK for code in there]
        (tmp_path / f"{name}.csv").write_text("\n".join([f"ISIN,{HEADER}", *lines]) + "\n")
    assert open_source("files", str(tmp_path / "AAPL.csv")).symbols() == ["AAPL"]
    source = open_source("files", str(tmp_path / "both.csv"))
    assert source.symbols() == sorted(codes)
    assert [len(source.load(code)) for code in codes] == [len(STOCK)] * 2


def test_the_ending_of_a_file_is_no_part_of_a_symbol(tmp_path: Path) -> None:
    lines = [
        f"{name},{day(row)},{','.join(map(str, ohlcv(row)))}" for name in ("AAPL.csv", "MSFT.csv") for row in STOCK
    ]
    (tmp_path / "all.csv").write_text("\n".join([f"Symbol,{HEADER}", *lines]) + "\n")
    assert open_source("files", str(tmp_path / "all.csv")).symbols() == ["AAPL", "MSFT"]


@pytest.mark.parametrize(("again", "refused"), [(2.0, True), (1.5, False)])
def test_a_date_that_stands_twice_in_a_document_is_refused(tmp_path: Path, again: float, refused: bool) -> None:
    rows = [(day(row), {"open": 1.5, "high": 2, "low": 1, "close": 1.5}) for row in STOCK]
    rows.append((rows[-1][0], rows[-1][1] | {"close": again}))
    path = tmp_path / "NVDA.json"
    path.write_text("{" + ",".join(f'"{date}": {json.dumps(values)}' for date, values in rows) + "}")
    source = open_source("files", str(path))
    if refused:
        with pytest.raises(DataError, match=r"NVDA.json: '2024-02-23' stands twice in one JSON object"):
            source.load("NVDA")
    else:
        assert len(source.load("NVDA")) == len(STOCK)


def test_an_array_of_another_length_is_not_left_out(tmp_path: Path) -> None:
    columns = {name: [1.5] * 60 for name in ("open", "high", "low", "close")} | {"date": [*map(day, STOCK)]}
    path = tmp_path / "NVDA.json"
    path.write_bytes(document(columns | {"splits": [2]}))
    assert len(open_source("files", str(path)).load("NVDA")) == len(STOCK)
    path.write_bytes(document(columns | {"volume": [7] * 59}))
    with pytest.raises(DataError, match=r"NVDA.json: 'volume' has 59 values where others have 60"):
        open_source("files", str(path)).load("NVDA")


@pytest.mark.parametrize("name", ["A1.csv", "prices/nvda.CSV.gz", "a/b/c.parquet", "bars.zip"])
def test_a_file_in_place_of_a_symbol_is_told_what_reads_it(name: str) -> None:
    with pytest.raises(DataError, match=r"is not a symbol but the name of a file: .*SYMBOL=FILE or --data FILE"):
        parse_symbol(name)
