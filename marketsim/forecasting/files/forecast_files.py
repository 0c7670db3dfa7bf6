"""Forecasts in a file, a folder of files, or a DataFrame."""

from __future__ import annotations

import hashlib
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from marketsim.data.reading.cells import Column, Heading, LoadedCells
from marketsim.data.reading.contents import BarFile, printable
from marketsim.data.reading.file_names import symbol_of_file
from marketsim.data.reading.listing import is_loose, list_files
from marketsim.data.reading.opening import open_cells
from marketsim.errors import DataError, UsageError
from marketsim.forecasting.files.columns import kind_of_table, resolve
from marketsim.forecasting.files.places import parted
from marketsim.forecasting.files.rows import ForecastTable, read_rows
from marketsim.forecasting.files.symbol_forecasts import SymbolForecasts, join
from marketsim.registry import nearest

if TYPE_CHECKING:
    import pandas as pd

FRAME = "DataFrame"  # the name of forecasts in memory


class GivenForecasts(Struct, frozen=True, eq=False):
    """Forecasts that somebody else made, of any number of symbols."""

    name: str  # of the file, without its folder
    place: str  # of the file, printable
    symbols: Mapping[str, SymbolForecasts]  # by canonical symbol
    digest: str  # of all forecasts, in hex; not of what the files are called or how they are written
    notes: tuple[str, ...]  # one-line remarks for stderr
    renamed: bool = False  # whether a symbol is told by nothing but the name of a file

    def of(self, symbol: str) -> SymbolForecasts:
        """Those of one symbol; DataError where there are none."""
        if symbol in self.symbols:
            return self.symbols[symbol]
        known = ", ".join(list(self.symbols)[:8])
        how = nearest(symbol, self.symbols) if len(self.symbols) > 1 else ""
        if self.renamed and len(self.symbols) == 1:
            how = f"; --forecasts {symbol}={shlex.quote(self.place)} takes them as {symbol}'s"
        raise DataError(f"no forecasts of {symbol} in {self.place}, which has {known}{how}")


def read_forecasts(spec: str, timezone: str | None = None) -> GivenForecasts:
    """The forecasts at `[SYMBOL=]PATH[:MODEL]`, a file or a folder of files.

    `SYMBOL` is that of files which name none; `MODEL` one of those whose forecasts stand in columns side by side.
    DataError for what holds no forecasts; UsageError where nothing is there.
    """
    given, place, model = parted(spec)
    path = Path(place)
    if not path.exists():
        raise UsageError(f"--forecasts {spec}: no such file or folder")
    listing = list_files(path)
    kind, alone = kind_of_table(model), len(listing.files) == 1
    parts: dict[str, list[SymbolForecasts]] = {}
    notes, renamed = [*listing.notes], False
    for file in listing.files:
        try:
            cells = open_cells(file, kind)
            table = read_rows(cells, resolve(cells.heading, cells.sample, cells.name, model), timezone)
        except DataError as error:
            if alone or not is_loose(file):
                raise
            notes.append(f"{error}; the file is skipped")
            continue
        notes += table.notes
        renamed |= "" in table.symbols
        for symbol, found in _named(table, file, given).items():
            parts.setdefault(symbol, []).append(found)
    if not parts:
        raise DataError(f"{printable(path)}: no forecasts in its files")
    name = path.name + (f":{model}" if model else "")
    return replace(_given(name, printable(path), parts, notes), renamed=renamed)


def forecasts_in_frame(frame: pd.DataFrame, symbol: str | None, timezone: str | None = None) -> GivenForecasts:
    """The forecasts in a DataFrame, those of `symbol` where it names none."""
    cells = _cells(frame)
    table = read_rows(cells, resolve(cells.heading, cells.sample, FRAME), timezone)
    if "" in table.symbols and symbol is None:
        raise DataError("the DataFrame of forecasts needs a column 'symbol', for there are several symbols")
    parts = {name or str(symbol): [found] for name, found in table.symbols.items()}
    return _given(FRAME, FRAME, parts, table.notes)


def _given(
    name: str, place: str, parts: Mapping[str, list[SymbolForecasts]], notes: list[str] | tuple[str, ...]
) -> GivenForecasts:
    symbols = {symbol: join(parts[symbol], symbol) for symbol in sorted(parts)}
    running = hashlib.sha256()
    for symbol, forecasts in symbols.items():
        running.update(f"{symbol}\0".encode() + forecasts.digest())
    return GivenForecasts(name, place, symbols, running.hexdigest(), tuple(dict.fromkeys(notes)))


def _named(table: ForecastTable, file: BarFile, given: str) -> dict[str, SymbolForecasts]:
    """The forecasts of a file by symbol: those that it does not name by what is given, or by its own name."""
    found = dict(table.symbols)
    if (unnamed := found.pop("", None)) is not None:
        symbol = given or symbol_of_file(file)
        if symbol is None:
            raise DataError(
                f"{file.name} names no symbol, neither in a column nor in its name: --forecasts SYMBOL={file.name}"
            )
        found[symbol] = unnamed
    elif given and given not in found:
        raise DataError(f"{file.name} has no forecasts of {given}; it has {', '.join(list(found)[:8])}")
    return found


def _cells(frame: pd.DataFrame) -> LoadedCells:
    """The columns of a DataFrame, its index among them where that is more than a count of the rows."""
    import pandas as pd

    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    if not len(frame):
        raise DataError("the DataFrame of forecasts has no rows")
    names = [_flat(column) for column in frame.columns]
    columns: list[Column] = []
    zones: dict[int, str] = {}
    for at in range(len(names)):
        own = frame.iloc[:, at]
        if isinstance(own.dtype, pd.PeriodDtype):
            own = own.dt.to_timestamp()
        if isinstance(own.dtype, pd.DatetimeTZDtype):
            zones[at] = str(own.dt.tz).removeprefix("UTC") or "UTC"
            own = own.dt.tz_convert("UTC").dt.tz_localize(None)
        if pd.api.types.is_datetime64_dtype(own.dtype):
            columns.append(own.to_numpy("datetime64[ns]"))
        elif pd.api.types.is_numeric_dtype(own.dtype):
            columns.append(own.to_numpy(np.float64, na_value=np.nan))
        else:
            texts = np.empty(len(own), dtype=object)
            texts[:] = ["" if cell is None or cell is pd.NA or cell is pd.NaT else str(cell) for cell in own]
            columns.append(texts)
    return LoadedCells(FRAME, Heading(tuple(names), zones=zones), tuple(columns), lambda row: f"row {row + 1}")


def _flat(name: object) -> str:
    """The name of a column as one text, also where it has several levels."""
    return "_".join(map(str, name)) if isinstance(name, tuple) else str(name)
