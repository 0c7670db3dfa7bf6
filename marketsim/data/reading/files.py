"""The user's own bars: a file, a zip archive, or a folder of them."""

from __future__ import annotations

import re
import shlex
from collections import OrderedDict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from marketsim.data.bars import Bars, make_bars
from marketsim.data.reading.adjustments import Prices, adjust, split_like
from marketsim.data.reading.cells import Cells
from marketsim.data.reading.contents import BarFile, printable
from marketsim.data.reading.file_names import stem, symbol_of_file, symbol_of_folder, symbol_of_name
from marketsim.data.reading.jumps import far_apart
from marketsim.data.reading.listing import ENDINGS, Listing, is_loose, list_files
from marketsim.data.reading.opening import open_cells
from marketsim.data.reading.read_options import Reading, ReadOptions
from marketsim.data.reading.repeats import repeated
from marketsim.data.reading.series import Series, join
from marketsim.data.reading.table import Table, read_table, symbols_named
from marketsim.data.symbols import parse_symbol, part_place
from marketsim.errors import DataError, UsageError
from marketsim.registry import nearest

KEPT = 4  # tables of many symbols that are held, so that their files are read once


class FileSource:
    """Bars from `data`: a file, or a folder whose files of bars are read, those in folders below it too.

    A file tells its symbols by a column or in its header, or else is named after its one symbol. A symbol in several
    files is joined. `data` may be `SYMBOL=FILE`, which says which symbol a file holds.
    """

    name = "files"

    def __init__(self, data: str | None, options: Reading | None = None, symbol: str | None = None) -> None:
        """`symbol`: the one that a file holds, whatever it says itself."""
        if data is None:
            raise UsageError("the source 'files' needs --data FILE or --data DIR")
        name, place = (symbol, data) if symbol or Path(data).exists() else part_place(data)
        self._given = parse_symbol(name) if name and place is not None else ""
        self.path = Path(data if place is None else place)
        self.place = printable(self.path)
        self.listing = f"marketsim data list --data {shlex.quote(self.place)}"
        self.options: Reading = options or ReadOptions()
        self._tables: OrderedDict[BarFile, Table] = OrderedDict()
        self._opened: OrderedDict[BarFile, Cells] = OrderedDict()  # files that were looked into, and not yet read
        self._notes: list[str] = []
        self._folders: dict[str, str] = {}  # symbol -> the folder that it is named after

    def symbols(self) -> list[str]:
        """See `Source.symbols`."""
        return sorted(self._files)

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        """See `Source.load`."""
        symbol = parse_symbol(symbol)
        files = self._files.get(symbol) or self._only_file(symbol)
        tables = [self._table(file) for file in files]
        found = [self._series(table, symbol) for table in tables]
        whole = join(found, symbol, self.options.adjust)
        notes = (
            *self._notes,
            *self._naming(symbol),
            *(note for table in tables for note in table.notes),
            *whole.notes,
        )
        return self._bars(symbol, replace(whole, notes=tuple(dict.fromkeys(notes))), tables, crypto)

    def describe(self, tables: Sequence[Table]) -> str:
        """What `Bars.source` says."""
        first = tables[0].name
        return first if len(tables) == 1 else f"{first} and {len(tables) - 1} more"

    def table_of(self, symbol: str) -> Table:
        """What was understood of the first file of a symbol."""
        symbol = parse_symbol(symbol)
        return self._table((self._files.get(symbol) or self._only_file(symbol))[0])

    def _bars(self, symbol: str, whole: Series, tables: Sequence[Table], crypto: bool | None) -> Bars:
        """Adjusted and checked."""
        prices = adjust(whole.prices, whole.time, self.options.adjust, symbol)
        source = self.describe(tables) + (f", {prices.words}" if prices.words else "")
        bars = make_bars(
            symbol,
            source,
            _in_seconds(whole.time),
            prices.ohlcv,
            crypto=crypto,
            zone=next((table.zone for table in tables if table.zone != "UTC"), None),
            drop=self.options.on_bad_bars == "drop",
            unreadable=_not_adjusted(whole.prices, prices) | whole.unreadable,
            place=whole.place,
            time_column=tables[0].time_column,
            notes=(*whole.notes, *prices.notes),
        )
        remarks = (*far_apart(bars), *repeated(bars))
        if prices.adjusted is None and prices.split is None and not bars.crypto:
            remarks = (*remarks, *split_like(bars.ohlcv, bars.time, symbol))
        return replace(bars, notes=(*bars.notes, *remarks))

    @cached_property
    def _listing(self) -> Listing:
        listing = list_files(self.path)
        self._notes += listing.notes
        return listing

    @cached_property
    def _files(self) -> dict[str, list[BarFile]]:
        """The files that hold each symbol."""
        found: dict[str, list[BarFile]] = {}
        files = self._listing.files
        for file in files:
            for symbol in self._symbols_in(file, alone=len(files) == 1):
                found.setdefault(symbol, []).append(file)
        return found

    def _symbols_in(self, file: BarFile, alone: bool) -> list[str]:
        try:
            named = symbols_named(self._cells(file))
            own = list(filter(None, self._table(file).series)) if named is None else named
        except DataError as error:
            if not alone and is_loose(file):
                self._notes.append(f"{error}; the file is skipped")
                return []
            own = []
        if self._given:
            return own if self._given in own else [self._given]
        return own or [self._symbol_named(file)]

    def _symbol_named(self, file: BarFile) -> str:
        """The symbol that a file, or else its folder, is named after."""
        symbol = symbol_of_file(file, self._base(file))
        if symbol is None and (symbol := symbol_of_folder(file)) is not None:
            self._folders[symbol] = file.folder
        return symbol or _fallback(file)

    def _naming(self, symbol: str) -> tuple[str, ...]:
        """A note where it was the folder that named the symbol."""
        if symbol not in self._folders:
            return ()
        folder = printable(self._folders[symbol])
        return (
            f"{symbol}: its files have only dates or numbers in their names, so it is named after the folder {folder}",
        )

    def _base(self, file: BarFile) -> str | None:
        """The coin that volume is counted in, where the name of the file lacks it."""
        if not re.search(r"[a-z]USD", file.stem):
            return None
        try:
            return self._table(file).base
        except DataError:
            return None

    def _only_file(self, symbol: str) -> list[BarFile]:
        """The one file there is, where it is named after no symbol; else a DataError that says what there is."""
        files = self._listing.files
        if len(files) == 1:
            table = self._table(files[0])  # what is wrong with the file itself says more
            if list(table.series) == [""] and symbol_of_name(stem(files[0].stem)) is None:
                return [files[0]]
        hint = nearest(symbol, self._files)
        if len(files) == 1 and len(self._files) == 1:
            (there,) = self._files
            hint = f", which holds {there}; {symbol}={shlex.quote(self.place)} reads it as {symbol}"
        raise DataError(f"no bars of {symbol} in {self.place}{hint} ('{self.listing}' shows all)")

    def _series(self, table: Table, symbol: str) -> Series:
        found = table.series.get(symbol) or (next(iter(table.series.values())) if len(table.series) == 1 else None)
        if found is None:
            known = ", ".join(list(table.series)[:8])
            raise DataError(f"{table.name} has no bars of {symbol}; it has {known}")
        return found

    def _table(self, file: BarFile) -> Table:
        table = self._tables.pop(file, None)
        if table is None:
            cells = self._opened.pop(file) if file in self._opened else open_cells(file)
            table = read_table(cells, self.options)
        self._tables[file] = table
        while len(self._tables) > KEPT:
            self._tables.popitem(last=False)
        return table

    def _cells(self, file: BarFile) -> Cells:
        cells = self._opened[file] = open_cells(file)
        while len(self._opened) > KEPT:
            self._opened.popitem(last=False)
        return cells


def is_file_name(text: str) -> bool:
    """Whether words that may be a symbol name a file or a folder: one that is there, or by their ending."""
    return Path(text).exists() or text.lower().endswith(ENDINGS)


def _fallback(file: BarFile) -> str:
    """A symbol of a file that is named after none: its name, as far as it may stand in one."""
    return re.sub(r"[^A-Za-z0-9]", "", stem(file.stem))[:32].upper() or "BARS"


def _not_adjusted(raw: Prices, adjusted: Prices) -> dict[int, str]:
    """The rows whose close has no adjusted close beside it, although others have, in words."""
    lacking = np.isnan(adjusted.ohlcv[:, 3]) & ~np.isnan(raw.ohlcv[:, 3])
    words = "column 'close': no adjusted close, which other bars have; --adjust none uses none"
    return dict.fromkeys(np.flatnonzero(lacking).tolist(), words)


def _in_seconds(time: np.ndarray) -> np.ndarray:
    """datetime64[s] where all stamps are whole seconds, else nanoseconds."""
    nanoseconds = time.view(np.int64)
    seconds = nanoseconds // 10**9
    if (seconds * 10**9 == nanoseconds).all():
        return seconds.view("datetime64[s]")
    whole = time.astype("datetime64[s]")
    return whole if ((whole == time) | np.isnat(time)).all() else time
