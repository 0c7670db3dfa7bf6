"""Files whose header is unknown or missing: columns are never guessed under a header, and a guess is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.errors import DataError
from tests.data.reading.written import STOCK, Row, day


def load(path: Path, lines: list[str]) -> Bars:
    path = path / "X.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return open_source("files", str(path)).load("X")


def close_first(row: Row) -> str:
    return f"{day(row)},{row.close},{row.open},{row.high},{row.low},{row.volume:.0f}"


def in_order(row: Row) -> str:
    return f"{day(row)},{row.open},{row.high},{row.low},{row.close},{row.volume:.0f}"


def prices(bars: Bars) -> list[list[float]]:
    return bars.ohlcv[:, :4].tolist()


@pytest.mark.parametrize(
    "header",
    [
        "Dates,PX_LAST,PX_OPEN,PX_HIGH,PX_LOW,PX_VOLUME",
        "Datum,Stängning,Öppning,Högst,Lägst,Volym",
        "Datum,Senaste,Öppen,Högsta,Lägsta,Vol.",
        "Dato,Lukket,Åbnet,Højeste,Laveste,Mængde",
        "Dato,Siste,Åpning,Høy,Lav,Volum",
        "Päivä,Päätös,Avaus,Ylin,Alin,Volyymi",
        "Datum,Laatste,Openen,Hoog,Laag,Volume",
    ],
)
def test_columns_are_told_by_names_of_several_tongues(tmp_path: Path, header: str) -> None:
    bars = load(tmp_path, [header, *map(close_first, STOCK)])
    assert prices(bars) == [[row.open, row.high, row.low, row.close] for row in STOCK]


@pytest.mark.parametrize(
    ("header", "encoding"),
    [
        ("日付,終値,始値,高値,安値,出来高", "cp932"),
        ("Datum,Schlußkurs,Eröffnung,Höchst,Tief,Stück", "mac_roman"),
        ("Datum,Stängning,Öppning,Högst,Lägst,Volym", "cp1252"),
        ("Data,Zamknięcie,Otwarcie,Najwyższy,Najniższy,Wolumen", "cp1250"),
        ("Tarih,Kapanış,Açılış,Yüksek,Düşük,Hacim", "cp1254"),
        ("日期,收盤價,開盤價,最高價,最低價,成交股數", "big5"),
    ],
)
def test_a_header_in_an_older_encoding_is_told_by_its_names(tmp_path: Path, header: str, encoding: str) -> None:
    path = tmp_path / "X.csv"
    path.write_bytes("\n".join([header, *map(close_first, STOCK)]).encode(encoding))
    bars = open_source("files", str(path)).load("X")
    assert prices(bars) == [[row.open, row.high, row.low, row.close] for row in STOCK]


def test_an_unknown_header_in_an_older_encoding_is_shown(tmp_path: Path) -> None:
    path = tmp_path / "X.csv"
    path.write_bytes("\n".join(["Datum,Über,Unter,Höchst,Tief", *map(close_first, STOCK)]).encode("cp1252"))
    with pytest.raises(DataError, match=r"no column open, close; the header has 'Datum', 'Über', 'Unter', 'Höchst'"):
        open_source("files", str(path)).load("X")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("Date,Clsoe,Open,High,Low,Volume", ": no column close; the header has 'Date', 'Clsoe', 'Open'"),
        ("# Date,Clsoe,Open,High,Low,Volume", ": no column close; the header has '# Date', 'Clsoe'"),
        ("Date,Close,Prev,High,Low,Volume", ": no column open; the header has 'Date', 'Close', 'Prev'"),
        ('"Date,Clsoe,Open,High,Low,Volume"', ": no column open, high, low, close; the header has 'Date,Clsoe,O"),
        ("Date;Clsoe;Open;High;Low;Volume", ": no column open, high, low, close; the header has 'Date;Clsoe;O"),
        ("Date,Clsoe,High,Low", ": no column open, close; the header has 'Date', 'Clsoe'"),
        ("When,Uno,Dos,Tres,Cuatro,Cinco", ": no column open, high, low, close; the header has 'When', 'Uno'"),
        ("Date,BidOpen,BidHigh,BidLow,BidClose,AskOpen", ": no column open, high, low, close;"),
    ],
)
@pytest.mark.parametrize("between", [[], ["", "USD,USD,USD,USD,USD,"]])
def test_columns_under_a_header_are_never_taken_by_their_order(
    tmp_path: Path, header: str, words: str, between: list[str]
) -> None:
    with pytest.raises(DataError) as error:
        load(tmp_path, [header, *between, *map(in_order, STOCK)])
    assert words in str(error.value)


@pytest.mark.parametrize(
    "above",
    [
        [],
        ["NVDA"],
        ["NVDA,,,,,"],
        ["Exported,2024-03-01", "Rows,60"],
        ["# bars, of NVDA, by day, as traded, in New York, in USD"],
        ["0,1,2,3,4,5"],
    ],
)
def test_an_order_that_is_taken_without_a_header_is_said(tmp_path: Path, above: list[str]) -> None:
    bars = load(tmp_path, [*above, *map(in_order, STOCK)])
    assert prices(bars) == [[row.open, row.high, row.low, row.close] for row in STOCK]
    assert any("no header; its columns are taken as date, open, high, low, close, volume" in n for n in bars.notes)


def test_an_order_that_the_numbers_contradict_is_refused(tmp_path: Path) -> None:
    lines = [f"{day(row)},{row.high},{row.low},{row.open},{row.close}" for row in STOCK]
    with pytest.raises(DataError, match=r"no header, and no known order of columns fits '2023-12-04'"):
        load(tmp_path, lines)


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("2023-12-01,1,n/a,1,1,7", "line 1, column 'high': 'n/a' is not a number"),
        ("2O23-12-01,1,1,1,1,7", "line 1, column 'date': '2O23-12-01'"),
        ("2023-12-01,n/a,n/a,?,n/a,n/a", "line 1, column 'open': 'n/a' is not a number"),
        ("2023-12-01,1,1", "line 1, a row of 3 cells"),
    ],
)
@pytest.mark.parametrize("repeats", [1, 2])
def test_bad_rows_above_the_first_whole_bar_are_no_title(tmp_path: Path, first: str, words: str, repeats: int) -> None:
    with pytest.raises(DataError) as error:
        load(tmp_path, [*[first] * repeats, *map(in_order, STOCK)])
    assert words in str(error.value)
