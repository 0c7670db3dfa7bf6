"""Prices that are too far apart are said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from marketsim.data import open_source
from tests.data.reading.written import STOCK, Row, ohlcv, table


def notes(path: Path, rows: list[Row], name: str = "NVDA.csv", header: str = "") -> list[str]:
    """What is said of a file with these bars, and maybe an adjusted close of 1 on bar 8 alone."""
    text = table(
        rows,
        f"date,open,high,low,close,volume{header}",
        lambda row: (row.time.date(), *ohlcv(row), *([1.0 if row is rows[8] else row.close * 0.9] if header else [])),
    )
    (path / name).write_bytes(text)
    found = open_source("files", str(path)).load("NVDA").notes
    return [note.removeprefix("NVDA: ") for note in found if "look for" in note]


def scaled(row: Row, factor: float) -> Row:
    return Row(row.time, *(x * factor for x in ohlcv(row)[:4]), row.volume)  # type: ignore[operator]


def test_prices_that_are_near_each_other_need_no_note(tmp_path: Path) -> None:
    assert notes(tmp_path, STOCK) == []
    assert notes(tmp_path, [*STOCK[:30], *(scaled(row, 40) for row in STOCK[30:])]) == []


@pytest.mark.parametrize("factor", [1000, 0.01])
def test_a_bar_in_another_unit(tmp_path: Path, factor: float) -> None:
    (note,) = notes(tmp_path, [*STOCK[:8], scaled(STOCK[8], factor), *STOCK[9:]])
    assert note.startswith(f"the close goes from {STOCK[7].close:g} to {STOCK[8].close * factor:g} on 2023-12-14, and")
    assert "1 more such jump; look for a wrong price or another unit" in note


def test_a_high_without_its_decimal_point(tmp_path: Path) -> None:
    (note,) = notes(tmp_path, [*STOCK[:8], replace(STOCK[8], high=1e89), *STOCK[9:]])
    assert note == f"prices of one bar go from {STOCK[8].low:g} to 1e+89 on 2023-12-14; look for a wrong price"


def test_files_in_cents_and_in_dollars(tmp_path: Path) -> None:
    notes(tmp_path, STOCK[:30], "NVDA-2023.csv")
    (note,) = notes(tmp_path, [scaled(row, 100) for row in STOCK[30:]], "NVDA-2024.csv")
    assert note.endswith("on 2024-01-15; look for a wrong price or another unit")


def test_one_adjusted_close_that_is_none(tmp_path: Path) -> None:
    (note,) = notes(tmp_path, STOCK, header=",Adj Close")
    assert "to 1 on 2023-12-14, and 1 more such jump" in note
