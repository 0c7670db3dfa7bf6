"""Bars of one's own in folders and archives, by any name, and what is said of them."""

from __future__ import annotations

import csv
import io
import os
import random
import zipfile
from datetime import datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from marketsim.data import open_source, read_bars
from marketsim.data.bars import Bars
from marketsim.data.reading import delimited, files
from marketsim.data.reading.cells import Cells
from marketsim.data.reading.contents import BarFile
from marketsim.data.reading.file_names import symbol_of_name
from marketsim.data.reading.opening import open_cells
from marketsim.data.reading.read_options import ReadOptions
from marketsim.errors import DataError, MarketsimError
from tests.data.reading.exchange_files import EXCHANGE_FILES
from tests.data.reading.json_files import JSON_FILES
from tests.data.reading.program_files import PROGRAM_FILES
from tests.data.reading.stock_files import STOCK_FILES
from tests.data.reading.written import COIN, STOCK, Row, make_rows, ohlcv, table

HEADER = "date,open,high,low,close,volume"


def text(rows: list[Row]) -> bytes:
    return table(rows, HEADER, lambda row: (row.time, *ohlcv(row)))


def load_frame(csv: bytes) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(csv))


def load(path: Path, symbol: str, **options: str) -> Bars:
    return open_source("files", str(path), ReadOptions(**options)).load(symbol)


@pytest.mark.parametrize(
    ("name", "symbol"),
    [
        ("NASDAQ_NVDA, 1D", "NVDA"),
        ("BINANCE_ETHUSDT", "ETHUSDT"),
        ("ETH_USDT-1d", "ETHUSDT"),
        ("BTC_USDT_USDT-1h-futures", "BTCUSDT"),
        ("ALGOUSDT-1m-2025-02", "ALGOUSDT"),
        ("M&M.NS", "M&M.NS"),
        ("nvda_us_d", "NVDA"),
        ("EURUSD1440", "EURUSD"),
        ("DAT_ASCII_EURUSD_M1_2012", "EURUSD"),
        ("Bitcoin Historical Data - Investing.com", "BTCUSD"),
        ("BRK-B", "BRKB"),
        ("MAX", "MAX"),
        ("HistoricalPrices", None),
        ("all_stocks_5yr", None),
        ("2024-01", None),
    ],
)
def test_a_file_is_named_after_its_symbol(name: str, symbol: str | None) -> None:
    assert symbol_of_name(name) == symbol


@pytest.mark.parametrize("name", ["600519", "000001", "7203", "1", "0700", "1234567", "1700000000", "20241301"])
def test_a_number_that_is_no_date_is_no_part_of_a_folders_series(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "CHINA"
    folder.mkdir()
    (folder / f"{name}.csv").write_bytes(text(STOCK[:30]))
    (folder / "600520.csv").write_bytes(text(STOCK[30:]))
    source = open_source("files", str(folder))
    assert source.symbols() == sorted([name, "600520"])
    assert [len(source.load(symbol)) for symbol in (name, "600520")] == [30, 30]
    assert not any("CHINA" in note.replace(str(folder), "") for note in source.load(name).notes)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2024", "2023"),
        ("2023-12", "2024-01"),
        ("202312", "202401"),
        ("2023_12_04", "2024_01_15"),
        ("20231204", "20240115"),
        ("04122023", "15012024"),
        ("1m_2023-12", "1m_2024-01 (2)"),
        ("part_1", "part_2"),
        ("page 20", "page 21"),
        ("600519 chunk", "600520 chunk"),
    ],
)
def test_parts_of_a_series_are_named_after_their_folder_and_a_note_says_so(
    tmp_path: Path, first: str, second: str
) -> None:
    folder = tmp_path / "NVDA"
    folder.mkdir()
    (folder / f"{first}.csv").write_bytes(text(STOCK[:30]))
    (folder / f"{second}.csv").write_bytes(text(STOCK[30:]))
    (tmp_path / "AAPL.csv").write_bytes(text(STOCK))
    source = open_source("files", str(tmp_path))
    assert source.symbols() == ["AAPL", "NVDA"]
    bars = source.load("NVDA")
    assert len(bars) == len(STOCK)
    assert sum("so it is named after the folder NVDA" in note for note in bars.notes) == 1
    assert not any("folder" in note for note in source.load("AAPL").notes)


@pytest.mark.parametrize("name", ["NVDA.zip", "NVDA_1d.csv.zip"])
def test_an_archive_names_its_parts_without_its_ending(tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(tmp_path / name, "w") as archive:
        archive.writestr("2023-12.csv", text(STOCK[:20]))
        archive.writestr("2024-01.csv", text(STOCK[20:]))
    source = open_source("files", str(tmp_path / name))
    assert source.symbols() == ["NVDA"]
    assert len(source.load("NVDA")) == len(STOCK)


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "closed").mkdir()
    (tmp_path / "NVDA.csv").write_bytes(text(STOCK))
    scan = os.scandir

    def refuse(path: str) -> object:
        if str(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", str(path))
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    bars = load(tmp_path, "NVDA")
    assert [note for note in bars.notes if "skipped" in note] == [
        f"{tmp_path / 'closed'} is skipped: permission denied"
    ]


@pytest.mark.parametrize("name", ["NVDA.csv.gz", "NVDA.json"])
def test_a_file_is_opened_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    opened: list[str] = []

    def once(file: BarFile) -> Cells:
        opened.append(file.name)
        return open_cells(file)

    frame = load_frame(text(STOCK))
    frame.to_csv(tmp_path / name, index=False) if "csv" in name else frame.to_json(tmp_path / name, orient="records")
    monkeypatch.setattr(files, "open_cells", once)
    assert len(load(tmp_path / name, "NVDA")) == len(STOCK)
    assert len(opened) == 1


def test_any_name_will_do_when_the_symbol_is_given(tmp_path: Path) -> None:
    path = tmp_path / "M & M, my own (2).csv"
    path.write_bytes(text(STOCK))
    source = open_source("files", f"AAPL={path}")
    assert source.symbols() == ["AAPL"]
    assert source.load("AAPL").symbol == "AAPL"
    assert read_bars(path, "AAPL").symbol == "AAPL"  # type: ignore[union-attr]
    assert read_bars(path, "EURUSD=X").symbol == "EURUSD=X"  # type: ignore[union-attr]
    (tmp_path / "HistoricalPrices.csv").write_bytes(text(STOCK))
    assert load(tmp_path / "HistoricalPrices.csv", "MSFT").symbol == "MSFT"
    (tmp_path / "NVDA.csv").write_bytes(text(STOCK))
    with pytest.raises(DataError, match=r"which holds NVDA; MSFT=.*NVDA.csv reads it as MSFT"):
        load(tmp_path / "NVDA.csv", "MSFT")


def test_months_are_joined_and_what_overlaps_must_agree(tmp_path: Path) -> None:
    below = tmp_path / "spot" / "ETHUSDT"
    below.mkdir(parents=True)
    (below / "ETHUSDT-1d-2024-01.csv").write_bytes(text(COIN[20:]))
    (below / "ETHUSDT-1d-2023-12.csv").write_bytes(text(COIN[:30]))
    bars = load(tmp_path, "ETHUSDT")
    assert bars.time.tolist() == [row.time for row in COIN]
    other = [*COIN[20:29], Row(COIN[29].time, *ohlcv(COIN[28])[:4], 5.0), *COIN[30:]]  # type: ignore[arg-type]
    (below / "ETHUSDT-1d-2024-01.csv").write_bytes(text(other))
    with pytest.raises(
        DataError, match=r"ETHUSDT: .*01.csv, line 11 and .*12.csv, line 31 differ on the bar 2024-01-02"
    ):
        load(tmp_path, "ETHUSDT")


def test_bars_of_different_lengths_are_not_joined(tmp_path: Path) -> None:
    (tmp_path / "ETHUSD-1d.csv").write_bytes(text(COIN))
    (tmp_path / "ETHUSD-1h.csv").write_bytes(text(make_rows(COIN[0].time, timedelta(hours=1), 50)))
    with pytest.raises(DataError, match=r"ETHUSD has bars of different lengths: .*1h.csv and .*1d.csv"):
        load(tmp_path, "ETHUSD")


@pytest.mark.parametrize(("short", "long"), [(5, 15), (15, 30), (30, 60), (60, 120), (240, 720), (1440, 10080)])
def test_bars_of_different_lengths_on_other_days_are_not_joined(tmp_path: Path, short: int, long: int) -> None:
    later = make_rows(COIN[0].time + timedelta(days=500), timedelta(minutes=long), 50)
    (tmp_path / "ETHUSD-2023.csv").write_bytes(text(make_rows(COIN[0].time, timedelta(minutes=short), 50)))
    (tmp_path / "ETHUSD-2025.csv").write_bytes(text(later))
    with pytest.raises(DataError, match=r"ETHUSD has bars of different lengths: .*2023.csv and .*2025.csv"):
        load(tmp_path, "ETHUSD")


def test_gaps_and_weekends_are_no_different_lengths(tmp_path: Path) -> None:
    """Minutes of which every second is missing, and a few days with a weekend and a holiday between them."""
    minutes = make_rows(COIN[0].time, timedelta(minutes=1), 300)
    kept = np.random.default_rng(5).random(150) < 0.5
    (tmp_path / "ETHUSD-1.csv").write_bytes(text([row for row, keep in zip(minutes, kept, strict=False) if keep]))
    (tmp_path / "ETHUSD-2.csv").write_bytes(text(minutes[150:]))
    (tmp_path / "NVDA-1.csv").write_bytes(text([STOCK[at] for at in (4, 5, 8, 9)]))
    (tmp_path / "NVDA-2.csv").write_bytes(text(STOCK[10:]))
    assert len(load(tmp_path, "ETHUSD")) == 150 + kept.sum()
    assert len(load(tmp_path, "NVDA")) == 54


def test_folders_with_other_things_in_them(tmp_path: Path) -> None:
    (tmp_path / "NVDA.csv").write_bytes(text(STOCK))
    (tmp_path / "README.txt").write_text("These are my bars.\n")
    (tmp_path / "config.json").write_text('{"colour": "blue"}')
    os.mkfifo(tmp_path / "AMZN.csv")
    source = open_source("files", str(tmp_path))
    assert source.symbols() == ["NVDA"]
    notes = " ".join(source.load("NVDA").notes)
    assert "AMZN.csv is a pipe or a device and is skipped" in notes
    assert "README.txt" in notes and "config.json" in notes
    with pytest.raises(DataError, match=r"AMZN.csv: a pipe or a device"):
        load(tmp_path / "AMZN.csv", "AMZN")


def test_of_the_other_files_of_a_folder_only_the_heads_are_looked_at(tmp_path: Path) -> None:
    good = text(STOCK)
    (tmp_path / "NVDA.csv").write_bytes(good)
    (tmp_path / "AMZN.txt").write_bytes(good + b"2024-06-01,1,2,1,2,3,4,5\n")
    source = open_source("files", str(tmp_path))
    assert source.symbols() == ["AMZN", "NVDA"]
    assert len(source.load("NVDA")) == len(STOCK)
    with pytest.raises(DataError, match=rf"AMZN.txt, line {len(STOCK) + 2}: 8 cells under a header of 6"):
        source.load("AMZN")


@pytest.mark.parametrize(("filler", "kind"), [("", delimited.SmallCells), (" " * 100, delimited.DelimitedCells)])
def test_the_places_of_all_rows_take_few_readings_of_a_small_and_of_a_large_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, filler: str, kind: type
) -> None:
    made: list[object] = []

    def counted(*arguments: Any, **options: Any) -> Any:
        made.append(csv.reader(*arguments, **options))
        return made[-1]

    lines = [f"2020-01-{1 + i % 28:02},1,2,1,2,{i}{filler}" for i in range(5_000)]
    (tmp_path / "NVDA.csv").write_text("\n".join([HEADER, *lines[:10], "", *lines[10:]]))
    cells = open_cells(BarFile(tmp_path / "NVDA.csv"))
    assert type(cells) is kind
    monkeypatch.setattr(delimited, "csv", SimpleNamespace(reader=counted, Error=csv.Error))
    places = [cells.place(row) for row in range(5_000)]
    assert places == [f"{cells.name}, line {row + 2 + (row >= 10)}" for row in range(5_000)]
    assert cells.place(5_000) == f"{cells.name}, row 5001"
    assert len(made) <= 5


def test_a_bad_symbol_does_not_shut_the_others_out(tmp_path: Path) -> None:
    rows = [f"{name},{line}" for name in ("NVDA", "BAD", "a b") for line in text(STOCK).decode().splitlines()[1:]]
    rows[70] = rows[70].replace(",9", ",-9")
    (tmp_path / "all.csv").write_text(f"symbol,{HEADER}\n" + "\n".join(rows) + "\n")
    source = open_source("files", str(tmp_path / "all.csv"))
    assert source.symbols() == ["BAD", "NVDA"]
    assert len(source.load("NVDA")) == len(STOCK)
    assert any("'a b' is not a symbol; 60 rows are left out" in note for note in source.load("NVDA").notes)
    with pytest.raises(DataError, match=r"all.csv, line 72, column"):
        source.load("BAD")


def test_a_file_of_many_symbols_is_listed_with_the_owners_date_format(tmp_path: Path) -> None:
    lines = [f"{name},0{month}/02/2024,1,2,1,2" for name in ("AAPL", "NVDA") for month in (1, 2, 3)]
    (tmp_path / "all.csv").write_text("\n".join(["symbol,date,open,high,low,close", *lines]) + "\n")
    source = open_source("files", str(tmp_path / "all.csv"), ReadOptions(date_format="%d/%m/%Y"))
    assert source.symbols() == ["AAPL", "NVDA"]
    assert str(source.load("NVDA").time[2])[:10] == "2024-02-03"


@pytest.mark.parametrize(("name", "rows", "crypto"), [("WIDGETUSD", COIN, True), ("ETHUSD", STOCK, False)])
def test_bars_tell_what_an_asset_is_and_one_note_says_so(
    tmp_path: Path, name: str, rows: list[Row], crypto: bool
) -> None:
    path = tmp_path / f"{name}.csv"
    path.write_bytes(text(rows))
    bars = load(path, name)
    assert bars.crypto is crypto
    assert sum("--asset" in note for note in bars.notes) == 1
    assert open_source("files", str(path)).load(name, crypto=not crypto).crypto is not crypto


def test_a_weekend_filled_with_fridays_bars_is_named_and_makes_no_coin(tmp_path: Path) -> None:
    rows: list[Row] = []
    for row in COIN:
        rows.append(Row(row.time, *ohlcv(rows[-1])[:4], 0.0) if row.time.weekday() > 4 else row)  # type: ignore[arg-type]
    (tmp_path / "NVDA.csv").write_bytes(text(rows))
    bars = load(tmp_path / "NVDA.csv", "NVDA")
    assert not bars.crypto
    assert any("bars of 60 repeat the one before, 16 on weekends" in note for note in bars.notes)


def test_sub_second_stamps_keep_apart(tmp_path: Path) -> None:
    first = datetime(2024, 1, 2)
    rows = make_rows(first, timedelta(milliseconds=250), 40)
    (tmp_path / "ETHUSD.csv").write_bytes(text(rows))
    bars = load(tmp_path / "ETHUSD.csv", "ETHUSD")
    assert bars.time[1] - bars.time[0] == np.timedelta64(250, "ms")
    assert len(bars.between(None, None)) == 40


@pytest.mark.parametrize("seed", range(4))
def test_damaged_files_are_one_line_and_never_a_traceback(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for file in [*STOCK_FILES.values(), *EXCHANGE_FILES.values(), *PROGRAM_FILES.values(), *JSON_FILES.values()][
        seed::4
    ]:
        content = bytearray(file.content)
        for _ in range(chance.choice((1, 3, 30))):
            at = chance.randrange(len(content))
            content[at : at + chance.randrange(3)] = chance.choice(
                (b"\0", b",", b'"', b"\n", b"9" * 30, b"\xff", b"{", b"")
            )
        path = tmp_path / file.name
        path.write_bytes(bytes(content))
        said = "read"
        try:
            read_bars(path)
        except MarketsimError as error:
            said = str(error)
        assert said.isprintable()
