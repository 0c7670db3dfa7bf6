"""The rows of a file as numbers; rows without a bar are left out."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping

import numpy as np
from msgspec import Struct, field
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.faults import COLUMNS
from marketsim.data.reading.adjustments import Prices
from marketsim.data.reading.cells import Cells, Column
from marketsim.data.reading.columns import Columns
from marketsim.data.reading.decimals import UNKNOWN, Style, why_no_number
from marketsim.data.reading.number_style import doubles
from marketsim.data.reading.series import Series
from marketsim.data.reading.timestamps import Stamps

Doubles = NDArray[np.float64]


def make_series(
    cells: Cells, columns: Columns, read: Mapping[int, Column], stamps: Stamps, style: Style
) -> tuple[Series, NDArray[np.int64]]:
    """The rows `[R]` that are bars, of all symbols, and their positions in the file."""
    whole = _Rows(cells, read, style, {**stamps.unreadable, **cells.cut})
    ohlcv = np.empty((len(stamps.time), 5), order="F")  # the checks go through it by column
    for channel, at in enumerate(columns.prices):
        ohlcv[:, channel] = whole.numbers(at, COLUMNS[channel])
    ohlcv[:, 4] = _volume(whole, columns, len(ohlcv))
    adjusted = None
    if columns.adjusted[3] is not None and (close := whole.extra(columns.adjusted[3])) is not None:
        others = [whole.extra(at) if at != columns.adjusted[3] else close for at in columns.adjusted]
        adjusted = np.column_stack([np.full(len(ohlcv), np.nan) if other is None else other for other in others])
    prices = Prices(ohlcv, adjusted, whole.extra(columns.split), whole.extra(columns.dividend))
    series = Series(stamps.time, prices, whole.unreadable, cells.place, tuple(whole.notes))
    keep, notes = _bars(series, columns, read)
    if keep.all():
        return series, np.arange(len(series))
    rows = np.flatnonzero(keep)
    return replace(series.take(rows), notes=(*series.notes, *notes)), rows


class _Rows(Struct):
    """A file's columns of numbers, with what could not be read of them."""

    cells: Cells
    read: Mapping[int, Column]
    style: Style
    unreadable: dict[int, str]
    notes: list[str] = field(default_factory=list)

    def numbers(self, at: int, label: str) -> Doubles:
        """A column of prices or volumes; a cell that is no number makes its row a bad one."""
        values, wrong = doubles(self.read[at], self.style, label == "volume")
        for row in wrong:
            cell = str(self.read[at][row])
            words = f"{reprlib.repr(cell)} {why_no_number(cell)}" if cell.strip() else "an empty cell"
            self.unreadable.setdefault(row, f"column '{label}': {words}")
        return values

    def extra(self, at: int | None) -> Doubles | None:
        """A column that a series can do without; with a cell that is no number it is named and not used."""
        if at is None:
            return None
        values, wrong = doubles(self.read[at], self.style, True)
        if not wrong:
            return values
        name, cell = self.cells.heading.names[at].strip(), reprlib.repr(str(self.read[at][wrong[0]]))
        self.notes.append(f"{self.cells.name}: column '{name}' is not used: {self.cells.place(wrong[0])} has {cell}")
        return None


def _volume(rows: _Rows, columns: Columns, count: int) -> Doubles:
    if not columns.volume:
        return np.full(count, np.nan)
    volume = rows.numbers(columns.volume[0], "volume")
    for at in columns.volume[1:]:
        volume = volume + rows.numbers(at, "volume")
    if columns.real_volume is not None:
        real = rows.numbers(columns.real_volume, "volume")
        volume = real if np.nan_to_num(real).any() else volume
    return np.full(count, np.nan) if (volume == -1).all() else volume  # a provider's way to say that there is none


def _bars(series: Series, columns: Columns, read: Mapping[int, Column]) -> tuple[NDArray[np.bool_], list[str]]:
    """Which rows are bars: those without any price, lines of words and what the exchange calls unfinished are not."""
    keep, notes = np.ones(len(series), dtype=bool), []
    if np.isnan(series.prices.ohlcv[:, 3]).any():
        empty = np.isnan(series.prices.ohlcv[:, :4]).all(axis=1)
        words = empty & np.isnat(series.time)
        for rows, what in ((words, "is no bar"), (empty & ~words & ~_has_text(read, columns), "has no price")):
            if rows.any() and not rows.all():
                notes.append(_left_out(series.place, rows, what))
                keep &= ~rows
    if columns.finished is not None:
        unfinished = np.array([str(cell).strip().lower() in ("0", "false") for cell in read[columns.finished]])
        if unfinished.any() and not unfinished.all():
            notes.append(_left_out(series.place, unfinished, "is marked as unfinished by the exchange"))
            keep &= ~unfinished
    return keep, notes


def _left_out(place: Callable[[int], str], rows: NDArray[np.bool_], what: str) -> str:
    count = int(rows.sum())
    also = f"; it and {count - 1:,} more are left out" if count > 1 else " and is left out"
    return f"{place(int(np.argmax(rows)))} {what}{also}"


def _has_text(read: Mapping[int, Column], columns: Columns) -> NDArray[np.bool_]:
    """Rows one of whose prices is text, rather than nothing."""
    there = np.zeros(len(read[columns.prices[0]]), dtype=bool)
    for at in columns.prices:
        if read[at].dtype == object:
            there |= np.array([str(cell).strip().lower() not in UNKNOWN for cell in read[at]])
    return there
