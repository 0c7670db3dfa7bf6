"""From the cells of a table of forecasts to the forecasts of each symbol."""

from __future__ import annotations

import re
import reprlib
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.data.calendars.zones import to_local
from marketsim.data.reading.cells import Cells, Column
from marketsim.data.reading.decimals import ENGLISH, UNKNOWN, Style, styles, to_doubles
from marketsim.data.reading.timestamps import Stamps, parse_stamps
from marketsim.data.reading.wanted import Wanted
from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError
from marketsim.forecasting.files.columns import ForecastColumns
from marketsim.forecasting.files.names import series
from marketsim.forecasting.files.symbol_forecasts import SymbolForecasts

PAIR = re.compile(
    r"\('(?P<symbol>[^']+)', *Timestamp\('(?P<stamp>[^']+)'.*\)\)"
)  # pandas' name of a row of two indices

Floats = NDArray[np.float64]
Times = NDArray[np.datetime64]
Rows = NDArray[np.int64]


class ForecastTable(Struct, frozen=True):
    """What was read of a table."""

    symbols: Mapping[str, SymbolForecasts]  # by canonical symbol; by "" where the table names none
    notes: tuple[str, ...]


def read_rows(cells: Cells, columns: ForecastColumns, timezone: str | None) -> ForecastTable:
    """The forecasts of each symbol in a table. DataError, which names file, line and column, for what is none.

    Stamps without a zone are taken as of `timezone`, or as UTC; dates alone stay dates, which are midnights of UTC.
    """
    read = dict(cells.read(columns.texts, columns.numbers))
    if not len(read[columns.texts[0]]):
        raise DataError(f"{cells.name}: no forecasts under the header")
    whole = _Reader(cells, columns, read, timezone)
    whole = replace(whole, style=whole.told_style())
    symbols, channels = whole.series()
    values, levels = whole.values(channels)
    there = np.asarray(~np.isnan(values).all(axis=(1, 2)))
    if not there.any():
        raise DataError(f"{cells.name}: every forecast in it is empty or NaN")
    for row, words in cells.cut.items():
        if there[row]:
            raise DataError(f"{cells.place(row)}: {words}")
    notes: list[str] = []
    times = [whole.times(at, notes) for at in (columns.origin, columns.bar, columns.made_at)]
    if columns.unused:
        names = ", ".join(columns.unused[:6]) + (", ..." if len(columns.unused) > 6 else "")
        notes.append(f"{cells.name}: columns that are not used: {names}")
    found: dict[str, SymbolForecasts] = {}
    for symbol in dict.fromkeys(symbols):
        rows = np.flatnonzero(there & (symbols == symbol))
        if len(rows):
            merged = whole.merged(rows, values, channels, times)
            found[str(symbol)] = replace(merged, levels=levels)
    return ForecastTable(found, tuple(notes))


class _Reader(Struct, frozen=True):
    """A table's columns, as they are read."""

    cells: Cells
    columns: ForecastColumns
    read: Mapping[int, Column]
    timezone: str | None
    style: Style = ENGLISH

    def told_style(self) -> Style:
        """How all its numbers are written; DataError where their commas may part thousands or decimals."""
        there = [at for at in self.columns.numbers if self.read[at].dtype == object]
        ways = styles(str(cell) for at in there for cell in self.read[at])
        if len(ways) > 1:
            for at in there:
                for row, cell in enumerate(map(str, self.read[at])):
                    if "," in cell:
                        what = "may be thousands or a fraction; write numbers without groups of digits"
                        raise self._wrong(row, at, f"{reprlib.repr(cell)} {what}, and with a decimal point")
        return ways[0]

    def series(self) -> tuple[NDArray[np.object_], Rows | None]:
        """The symbol of each row, "" where none is named, and its price; None where columns tell the prices apart."""
        count = len(self.read[self.columns.texts[0]])
        told = all(meaning.channel is not None for _, meaning in self.columns.values)
        names = np.full(count, "", dtype=object)
        channels = np.full(count, -1)
        if self.columns.symbol is not None:
            names = _texts(self.read[self.columns.symbol])
        elif self.columns.origin is not None and PAIR.match(str(self.read[self.columns.origin][0])):
            names = np.array([_paired(cell, "symbol") for cell in self.read[self.columns.origin]], dtype=object)
        symbols = {name: (name, None) if told else series(name) for name in dict.fromkeys(names)}
        canonical = {name: self._symbol(symbol, name, names) for name, (symbol, _) in symbols.items()}
        named = {name: -1 if channel is None else channel for name, (_, channel) in symbols.items()}
        if told:
            return np.array([canonical[name] for name in names], dtype=object), None
        if self.columns.channel is not None:
            cells = _texts(self.read[self.columns.channel])
            for row, cell in enumerate(cells):
                if cell.lower() not in CHANNELS:
                    raise self._wrong(row, self.columns.channel, f"{cell!a} is not one of {', '.join(CHANNELS)}")
            channels = np.array([CHANNELS.index(cell.lower()) for cell in cells])
            canonical = {name: self._symbol(name, name, names) for name in canonical}
        else:
            channels = np.array([named[name] for name in names])
        if (channels < 0).any():
            where = self.cells.place(int(np.argmax(channels < 0)))
            raise DataError(
                f"{where}: which price is forecast? Name series as in ETHUSD_high, or add a column 'channel' of "
                f"{', '.join(CHANNELS)}"
            )
        return np.array([canonical[name] for name in names], dtype=object), channels

    def _symbol(self, symbol: str, name: str, names: NDArray[np.object_]) -> str:
        if not symbol:
            return ""
        try:
            return parse_symbol(symbol)
        except DataError as error:
            row = int(np.argmax(names == name))
            raise DataError(f"{self.cells.place(row)}: {error}") from None

    def times(self, at: int | None, notes: list[str]) -> Times:
        """A column of stamps, NaT where it is not there; of `made_at` also where a cell is empty."""
        if at is None:
            return np.full(len(self.read[self.columns.texts[0]]), np.datetime64("NaT", "ns"))
        column = self.read[at]
        if column.dtype == object and PAIR.match(str(column[0])):
            column = np.array([_paired(cell, "stamp") for cell in column], dtype=object)
        rows = np.arange(len(column))
        if at == self.columns.made_at:
            rows = np.flatnonzero(~_empty(column))
        times = np.full(len(column), np.datetime64("NaT", "ns"))
        if len(rows):
            stamps = self._stamps(column[rows], rows, at)
            for row, words in sorted(stamps.unreadable.items()):
                raise self._wrong(int(rows[row]), at, words)
            times[rows] = _dates(stamps) if at != self.columns.made_at else stamps.time
            notes += stamps.notes
        return times

    def _stamps(self, column: Column, rows: Rows, at: int) -> Stamps:
        def place(row: int) -> str:
            return f"{self.cells.place(int(rows[row]))}, column '{self.cells.heading.names[at].strip()}'"

        wanted = Wanted(zone=self.cells.heading.zones.get(at))
        stamps = parse_stamps(column, place, self.cells.name, wanted)
        dates = stamps.time.astype("datetime64[D]")
        if self.timezone is None or (dates == stamps.time)[~np.isnat(dates)].all():
            return stamps
        return parse_stamps(column, place, self.cells.name, replace(wanted, timezone=self.timezone))

    def values(self, channels: Rows | None) -> tuple[Floats, tuple[float, ...]]:
        """Forecasts `[R, 4, 1 + K]`, the point first, NaN where there is none; and the levels of the others."""
        levels = tuple(sorted({meaning.level for _, meaning in self.columns.values if meaning.level is not None}))
        count = len(self.read[self.columns.texts[0]])
        values = np.full((count, len(CHANNELS), 1 + len(levels)), np.nan)
        for at, meaning in self.columns.values:
            slot = 0 if meaning.level is None else 1 + levels.index(meaning.level)
            channel = meaning.channel if meaning.channel is not None else channels
            values[np.arange(count), channel, slot] = self.numbers(at)
        return values, levels

    def numbers(self, at: int) -> Floats:
        """A column of numbers, NaN where a cell is empty or says that nothing is known."""
        column = self.read[at]
        if column.dtype == object:
            empty = _empty(column)
            there = np.flatnonzero(~empty)
            numbers = np.full(len(column), np.nan)
            numbers[there], wrong = to_doubles(column[there], self.style)
            for row in wrong:
                raise self._wrong(int(there[row]), at, f"{reprlib.repr(str(column[there[row]]))} is not a number")
        else:
            numbers = column.astype(np.float64)
        for row in np.flatnonzero(np.isinf(numbers)).tolist():
            raise self._wrong(row, at, f"{numbers[row]} is no forecast")
        return numbers

    def merged(self, rows: Rows, values: Floats, channels: Rows | None, times: Sequence[Times]) -> SymbolForecasts:
        """The forecasts of one symbol: rows of one origin and bar are one, where each is of another price."""
        origin, bar, made_at = (time[rows] for time in times)
        keys = np.stack([origin.view(np.int64), bar.view(np.int64)], 1)
        _, first, where = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        where = where.reshape(-1)
        slots = np.stack([where, np.zeros_like(where) if channels is None else channels[rows]], 1)
        _, once, slot = np.unique(slots, axis=0, return_index=True, return_inverse=True)
        again = np.flatnonzero(once[slot.reshape(-1)] != np.arange(len(rows)))
        if len(again):
            other, row = int(rows[once[slot.reshape(-1)[again[0]]]]), int(rows[again[0]])
            raise DataError(f"{self.cells.place(row)}: the same forecast as in {self.cells.place(other)}")
        whole = np.full((len(first), *values.shape[1:]), np.nan)
        if channels is None:
            whole[where] = values[rows]
        else:
            whole[where, channels[rows]] = values[rows, channels[rows]]
        newest = np.full(len(first), np.iinfo(np.int64).min)
        np.maximum.at(newest, where, made_at.view(np.int64))
        newest[where[np.isnat(made_at)]] = np.iinfo(np.int64).min  # NaT: of one of the prices nothing is said
        last = self.columns.last_close
        units = {meaning.unit for _, meaning in self.columns.values} - {None}
        if len(units) > 1:
            raise DataError(f"{self.cells.name}: some columns are prices and some are moves")
        own = rows[first]
        return SymbolForecasts(
            origin=origin[first],
            bar=bar[first],
            made_at=newest.view("datetime64[ns]"),
            levels=(),
            quantiles=whole[:, :, 1:],
            points=whole[:, :, 0],
            last_close=np.full(len(first), np.nan) if last is None else self.numbers(last)[own],
            unit=next(iter(units), None),
            layout=self.columns.layout,
            place=lambda row: self.cells.place(int(own[row])),
        )

    def _wrong(self, row: int, at: int, words: str) -> DataError:
        return DataError(f"{self.cells.place(row)}, column '{self.cells.heading.names[at].strip()}': {words}")


def _dates(stamps: Stamps) -> Times:
    """The stamps; midnights of a zone, of which each names a day, as that day."""
    if stamps.zone == "UTC":
        return stamps.time
    local = to_local(stamps.time, stamps.zone).astype("datetime64[ns]")
    return local if (local.astype("datetime64[D]") == local).all() else stamps.time


def _texts(column: Column) -> NDArray[np.object_]:
    return np.array([str(cell).strip() for cell in column], dtype=object)


def _empty(column: Column) -> NDArray[np.bool_]:
    if column.dtype == object:
        return np.array([str(cell).strip().lower() in UNKNOWN | {"nat"} for cell in column])
    return np.isnat(column) if column.dtype.kind == "M" else np.isnan(column.astype(np.float64))


def _paired(cell: object, part: str) -> str:
    match = PAIR.match(str(cell))
    return match[part] if match else ""
