"""A large text file, which pandas reads, is read as the same file would be if it were small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.data.reading import contents, opening
from marketsim.data.reading.contents import BarFile
from marketsim.data.reading.delimited import DelimitedCells
from marketsim.data.reading.opening import open_cells
from marketsim.errors import DataError

DAYS = [str(np.datetime64("2020-01-01") + i) for i in range(60)]
HEADER = "date,open,high,low,close,volume"
ROWS = [f"{day},{100 + i}.1,{102 + i}.5,{99 + i},{101 + i}.25,{i + 1}" for i, day in enumerate(DAYS)]
BODY = "\n".join(ROWS) + "\n"
QUOTED = "".join(",".join(f'"{cell}"' for cell in row.split(",")) + "\n" for row in ROWS)


def bars_of(path: Path, monkeypatch: pytest.MonkeyPatch, text: str, head: int, symbol: str = "X") -> Bars | str:
    """The bars of a file of which `head` bytes are sniffed, or the words that it is refused with."""
    (path / "X.csv").write_bytes(text.encode())
    with monkeypatch.context() as patch:
        for module in (contents, opening):
            patch.setattr(module, "HEAD", head)
        assert isinstance(open_cells(BarFile(path / "X.csv")), DelimitedCells) == (head < len(text.encode()))
        try:
            return open_source("files", str(path / "X.csv")).load(symbol)
        except DataError as error:
            return str(error)


def both(path: Path, monkeypatch: pytest.MonkeyPatch, text: str, symbol: str = "X") -> Bars | str:
    """The bars, or the words of refusal, which are the same for a small and for a large file."""
    small, large = (bars_of(path, monkeypatch, text, head, symbol) for head in (1 << 18, 600))
    if isinstance(small, str) or isinstance(large, str):
        assert small == large
    else:
        assert (small.fingerprint, small.notes) == (large.fingerprint, large.notes)
        assert small.time.tolist() == large.time.tolist()
    return small


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{BODY}",
        f"{HEADER}\n{QUOTED}",
        f'"date\n(UTC)",open,high,low,close,volume\n{BODY}',
        f'"a title\nof three\nlines"\n\n{HEADER}\n{BODY}',
        f"a title\n\n{HEADER}\n{BODY}".replace("\n", "\r"),
        f"a title\n\n{HEADER}\n{BODY}".replace("\n", "\r\n"),
        f"{HEADER}\n{BODY}2020-03-01,1,2,1,2,3".replace("2020-03-01,1,2,1,2,3", "the end"),
        f"{HEADER}\n{BODY},,,,,\n,,,,,\n",
        f"\ufeff{HEADER}\n{BODY}",
        f"{HEADER}\n{BODY}".replace(",", "\t"),
        f"{HEADER}\n{BODY}".replace(",", " "),
        f"{HEADER},remark\n{BODY}",
    ],
)
def test_a_file_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    bars = both(tmp_path, monkeypatch, text)
    assert isinstance(bars, Bars)
    assert bars.time.astype("datetime64[D]").astype(str).tolist() == DAYS
    assert bars.ohlcv.tolist() == [[100.1 + i, 102.5 + i, 99.0 + i, 101.25 + i, i + 1.0] for i in range(60)]


def test_numbers_of_many_digits_are_read_exactly_where_lines_end_in_returns(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [100 + number for number in np.random.default_rng(0).random(60).tolist()]
    rows = [f"{day},{number!r}0123,200,1,{number!r}4567,1" for day, number in zip(DAYS, numbers, strict=True)]
    bars = both(tmp_path, monkeypatch, "\r".join([HEADER, *rows]))
    assert isinstance(bars, Bars)
    assert bars.close.tolist() == [float(f"{number!r}4567") for number in numbers]


@pytest.mark.parametrize("quoted", [False, True])
@pytest.mark.parametrize("ending", ["\n", "\r"])
def test_a_row_of_too_many_cells_is_found_beside_rows_of_too_few(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, quoted: bool, ending: str
) -> None:
    lines = (QUOTED if quoted else BODY).splitlines()
    lines[40] += ",1"
    lines[50] = lines[50].rpartition(",")[0]
    words = both(tmp_path, monkeypatch, ending.join([HEADER, *lines]))
    assert words == f"{tmp_path / 'X.csv'}, line 42: 7 cells under a header of 6"


@pytest.mark.parametrize("line", [2, 30, 61])
def test_a_row_of_too_few_cells_is_a_bad_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: int) -> None:
    """One that was cut, or that lost a delimiter: 1.52 and 1.4 are read as 1.521.4."""
    lines = [HEADER, *ROWS]
    lines[line - 1] = lines[line - 1][:-5].rstrip(",")
    words = both(tmp_path, monkeypatch, "\n".join(lines))
    where = f"{tmp_path / 'X.csv'}, line {line}, a row of 5 cells, where others have 6"
    assert words == f"{where} (--on-bad-bars drop leaves bad rows out)"


def test_rows_that_all_lack_the_last_cells_are_good(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bars = both(tmp_path, monkeypatch, f"{HEADER}\n" + "\n".join(row.rpartition(",")[0] for row in ROWS))
    assert isinstance(bars, Bars)
    assert np.isnan(bars.volume).all()
    assert bars.close[0] == 101.25


def test_the_symbol_na_is_no_missing_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [f"{'NA' if i % 2 else ''},{row}" for i, row in enumerate(ROWS)]
    rows[3] = rows[3].rpartition(",")[0] + ","
    bars = both(tmp_path, monkeypatch, f"symbol,{HEADER}\n" + "\n".join(rows), "NA")
    assert isinstance(bars, Bars)
    assert len(bars) == 30
    assert any("'' is not a symbol; 30 rows are left out" in note for note in bars.notes)
