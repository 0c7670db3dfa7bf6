"""Splits, dividends and adjusted closes in files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from marketsim.data.bars import Bars
from marketsim.errors import DataError
from tests.data.reading.test_files import HEADER, load, text
from tests.data.reading.written import STOCK, Row, ohlcv, table


@pytest.mark.parametrize(
    ("factor", "joined"), [(1 + 5e-7, True), (1 + 5e-6, False), (0.5, False), (float("nan"), True)]
)
def test_adjusted_closes_that_overlap_must_agree_too(tmp_path: Path, factor: float, joined: bool) -> None:
    """As of two downloads with a dividend or a split between them, whose closes are the same."""
    header = f"{HEADER},Adj Close"
    for name, rows, own in (("2023", STOCK[:35], 0.5), ("2024", STOCK[25:], 0.5 * factor)):
        cells = [(row.time.date(), *ohlcv(row), row.close * own if own == own else "") for row in rows]
        lines = [",".join(map(str, each)) for each in cells]
        (tmp_path / f"NVDA-{name}.csv").write_text("\n".join([header, *lines]) + "\n")
    assert len(load(tmp_path, "NVDA", adjust="none")) == len(STOCK)
    if joined:
        assert len(load(tmp_path, "NVDA")) == len(STOCK)
        return
    with pytest.raises(
        DataError, match=r"2024.csv, line 2 and .*2023.csv, line 27 differ on the bar 2024-01-08.* in the"
    ):
        load(tmp_path, "NVDA")


def split_rows(ratio: float, at: int = 30) -> list[Row]:
    """Bars whose prices were divided by `ratio` from row `at` on."""
    return [
        Row(row.time, *(round(x / (ratio if i >= at else 1), 4) for x in ohlcv(row)[:4]), row.volume)  # type: ignore[operator]
        for i, row in enumerate(STOCK)
    ]


def adjusted(path: Path, rows: list[Row], header: str, extra: Callable[[int, Row], object], mode: str = "auto") -> Bars:
    numbers = {id(row): i for i, row in enumerate(rows)}
    path = path / "NVDA.csv"
    path.write_bytes(
        table(rows, f"{HEADER},{header}", lambda row: (row.time.date(), *ohlcv(row), extra(numbers[id(row)], row)))
    )
    return load(path, "NVDA", adjust=mode)


@pytest.mark.parametrize("mode", ["auto", "none"])
def test_an_adjusted_close_adjusts_all_four_prices(tmp_path: Path, mode: str) -> None:
    bars = adjusted(tmp_path, STOCK, "Adj Close", lambda i, row: row.close * (0.5 if i < 30 else 1), mode)
    factor = np.where(np.arange(60) < 30, 0.5 if mode == "auto" else 1.0, 1.0)
    raw = np.array([ohlcv(row)[:4] for row in STOCK], dtype=float)
    np.testing.assert_allclose(bars.ohlcv[:, :4], raw * factor[:, None], rtol=1e-15)
    assert ("adjusted by the adjusted close" in bars.source) is (mode == "auto")
    assert any("--adjust none" in note for note in bars.notes) is (mode == "none")


def test_a_factor_that_never_changes_adjusts_nothing(tmp_path: Path) -> None:
    bars = adjusted(tmp_path, STOCK, "Adj Close", lambda i, row: round(row.close / 3, 4))
    assert bars.close.tolist() == [row.close for row in STOCK]
    assert any("which adjusts nothing" in note for note in bars.notes)


def test_a_split_divides_the_prices_before_it(tmp_path: Path) -> None:
    bars = adjusted(tmp_path, split_rows(7), "Stock Splits", lambda i, row: 7 if i == 30 else 0)
    np.testing.assert_allclose(bars.close, np.array([row.close for row in STOCK]) / 7, rtol=1e-6)
    np.testing.assert_allclose(bars.volume[:30], 7 * np.array([row.volume for row in STOCK[:30]]))
    assert "adjusted for 1 split" in bars.source


def test_a_split_that_the_prices_do_not_show_is_named(tmp_path: Path) -> None:
    bars = adjusted(tmp_path, STOCK, "Stock Splits", lambda i, row: 7 if i == 30 else 0)
    assert bars.close.tolist() == [row.close for row in STOCK]
    assert any("the split of 7:1 on 2024-01-15 is in the prices before it already" in note for note in bars.notes)
    bars = adjusted(tmp_path, split_rows(7), "split_ratio", lambda i, row: 50 if i == 30 else 1)
    assert any("disagrees with the prices" in note for note in bars.notes)


def test_a_jump_like_a_split_is_warned_of_and_dividends_are_named(tmp_path: Path) -> None:
    (tmp_path / "NVDA.csv").write_bytes(text(split_rows(7)))
    assert any("look like a split of 7:1" in note for note in load(tmp_path / "NVDA.csv", "NVDA").notes)
    bars = adjusted(tmp_path, STOCK, "Dividends", lambda i, row: 0.5 if i == 9 else 0)
    assert any("1 dividends are listed and not used" in note for note in bars.notes)
