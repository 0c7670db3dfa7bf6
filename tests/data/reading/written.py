"""Files of bars as providers and programs write them: each from the same few bars, so that what is read is known."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

OPEN, HIGH, LOW, CLOSE, VOLUME = range(1, 6)


@dataclass(frozen=True, slots=True)
class Row:
    """One bar."""

    time: datetime  # UTC
    open: float
    high: float
    low: float
    close: float
    volume: float

    @property
    def epoch(self) -> int:
        return int(self.time.replace(tzinfo=UTC).timestamp())


def make_rows(first: datetime, step: timedelta, count: int, weekdays: bool = False, digits: int = 2) -> list[Row]:
    """Bars whose prices have up to `digits` decimals, and cross 1,000."""
    random = np.random.default_rng(7)
    rows: list[Row] = []
    time, close = first, 980.0
    while len(rows) < count:
        if not weekdays or time.weekday() < 5:
            open_ = round(close * (1 + random.normal(0, 0.003)), digits)
            close = round(open_ * (1 + random.normal(0.001, 0.01)), digits)
            high = round(max(open_, close) * (1 + abs(random.normal(0, 0.004))) + 10**-digits, digits)
            low = round(min(open_, close) * (1 - abs(random.normal(0, 0.004))) - 10**-digits, digits)
            rows.append(Row(time, open_, high, low, close, float(random.integers(1_000, 2_000_000))))
        time += step
    return rows


DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
STOCK = make_rows(datetime(2023, 12, 4), DAY, 60, weekdays=True)
COIN = make_rows(datetime(2023, 12, 4), DAY, 60)
MINUTES = make_rows(datetime(2024, 1, 2, 9, 30), MINUTE, 60)
CURRENCY = make_rows(datetime(2023, 12, 4), DAY, 60, weekdays=True, digits=5)


@dataclass(frozen=True, slots=True)
class Written:
    """A file, and what is to be read of it."""

    name: str  # of the file
    content: bytes
    rows: Sequence[Row]
    symbol: str = "NVDA"
    layout: str = "columns by name"
    crypto: bool = False
    volume: bool = True  # whether the file has any
    notes: tuple[str, ...] = field(default=())  # words that are said of it


def table(
    rows: Sequence[Row],
    header: str,
    cells: Callable[[Row], Sequence[object]],
    delimiter: str = ",",
    encoding: str = "utf-8",
    newest_first: bool = False,
    before: str = "",
    after: str = "",
) -> bytes:
    """A text file, a line a bar."""
    lines = [delimiter.join(map(str, cells(row))) for row in rows]
    lines = lines[::-1] if newest_first else lines
    text = before + (f"{header}\n" if header else "") + "\n".join(lines) + "\n" + after
    return text.encode(encoding)


def ohlcv(row: Row) -> tuple[object, ...]:
    return row.open, row.high, row.low, row.close, int(row.volume)


def quoted(value: float, digits: int = 2) -> str:
    """With thousands, in quotes."""
    return f'"{value:,.{digits}f}"'


def continental(value: float, digits: int = 2) -> str:
    """With full stops between thousands, and a decimal comma."""
    return f"{value:,.{digits}f}".translate(str.maketrans(",.", ".,"))


def document(value: Any) -> bytes:
    return json.dumps(value).encode()


def day(row: Row, style: str = "%Y-%m-%d") -> str:
    return row.time.strftime(style)


def two_symbols(header: str, style: str, cells: str) -> bytes:
    """Rows of two symbols, one under the other; `cells` is a format of s (symbol), d (date) and the row."""
    lines = [cells.format(s=s, d=day(row, style), r=row) for s in ("NVDA", "ZZZ") for row in STOCK]
    return (header + "\n" + "\n".join(lines) + "\n").encode()
