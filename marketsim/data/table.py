"""The one reader of tables: CSV by the standard library and numpy, Parquet by pandas."""

from __future__ import annotations

import csv
import io
import reprlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.data.symbols import parse_symbol
from marketsim.data.timestamps import parse_stamps
from marketsim.errors import DataError, MissingExtra

TIME_COLUMNS = ("datetime", "timestamp", "open time", "date", "time")  # the first that is there
INDEX_COLUMNS = ("", "index", "unnamed: 0")  # a first column without a name of its own
SYMBOL_COLUMNS = ("symbol", "ticker")
UNKNOWN_VOLUME = frozenset(("", "nan", "null", "none", "na", "n/a", "<na>"))


@dataclass(frozen=True, slots=True)
class Table:
    """The R rows of a file, all its symbols together, in the order of the file."""

    name: str  # of the file, printable
    source: str  # what a comment "# source: ..." above the header says
    time_column: str  # its name in the file
    time: NDArray[np.datetime64]  # [R] datetime64[s], UTC
    ohlcv: NDArray[np.float64]  # [R, 5] as in Bars, but not checked; NaN where `unreadable`
    unreadable: dict[int, str]  # row -> its first cell that is no number, in words
    symbols: dict[str, list[int]]  # canonical symbol -> its rows; empty without a column that tells
    places: Sequence[str]  # [R] file and line of each row, for messages
    notes: tuple[str, ...]

    def rows(self, symbol: str) -> list[int]:
        """The rows of `symbol`: all, when no column tells symbols apart."""
        return self.symbols[symbol] if self.symbols else list(range(len(self.time)))


@dataclass(frozen=True, slots=True)
class _Text:
    """A file's cells before they mean anything; `places` says where each of the R rows stands."""

    header: list[str]
    columns: list[tuple[str, ...]]  # one a name in the header, of R cells
    places: list[str]
    comments: list[str] = field(default_factory=list)


def read_table(path: Path) -> Table:
    """The bars in a CSV file, or in a Parquet file if its name ends so.

    Names of columns in any letter case: one of time (`TIME_COLUMNS`, or a first column without a name), open,
    high, low and close are required, volume and symbol or ticker are optional, all others are ignored. What
    is no such table is a DataError that names file, line and column; `make_bars` checks the numbers.
    """
    name = printable(path)
    try:
        text = _parquet(path, name) if _is_parquet(path) else _csv(path, name)
    except OSError as error:
        raise DataError(f"{name}: {(error.strerror or str(error)).lower()}") from error
    names = [_plain(each) for each in text.header]
    at = _required_columns(names, text.header, name)
    if not text.places:
        raise DataError(f"{name}: no bars under the header")
    time_column = text.header[at[0]]
    time, notes = parse_stamps(text.columns[at[0]], lambda row: f"{text.places[row]}, column '{time_column}'", name)
    prices = [text.columns[index] for index in at[1:]]
    volume = text.columns[names.index("volume")] if "volume" in names else None
    ohlcv, unreadable = _numbers(prices, volume)
    return Table(
        name=name,
        source=next((each[7:].strip() for each in text.comments if each.startswith("source:")), ""),
        time_column=time_column,
        time=time,
        ohlcv=ohlcv,
        unreadable=unreadable,
        symbols=_symbols(names, text),
        places=text.places,
        notes=notes,
    )


def has_symbol_column(path: Path) -> bool:
    """Whether a column tells symbols apart, by the header alone; False for a file that cannot be read."""
    try:
        if _is_parquet(path):
            from pyarrow import parquet

            header = parquet.read_schema(path).names
        else:
            with path.open(encoding="utf-8-sig") as file:
                header = next((row for row in csv.reader(file) if row and not row[0].startswith("#")), [])
    except (OSError, ValueError, ImportError, csv.Error):
        return False
    return any(_plain(name) in SYMBOL_COLUMNS for name in header)


def printable(path: str | Path) -> str:
    """A path as it may stand in a message: one line, no control characters."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


def _csv(path: Path, name: str) -> _Text:
    data = path.read_bytes()
    if b"\0" in data:
        line = data.count(b"\n", 0, data.index(b"\0")) + 1
        raise DataError(f"{name}, line {line}: a binary file, not CSV in UTF-8")
    try:
        file = io.StringIO(data.decode("utf-8-sig"), newline=None)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{name}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8") from None
    reader = csv.reader(file, strict=True)
    try:
        rows = [(reader.line_num, row) for row in reader if row]
    except csv.Error as error:
        raise DataError(f"{name}, line {reader.line_num}: {error}") from None
    top = next((i for i, (_, row) in enumerate(rows) if not row[0].startswith("#")), None)
    if top is None:
        raise DataError(f"{name}: an empty file; it begins with a header such as date,open,high,low,close")
    header = rows[top][1]
    for line, row in rows[top + 1 :]:
        if len(row) > len(header):
            raise DataError(f"{name}, line {line}: {len(row)} cells under a header of {len(header)}")
        row += [""] * (len(header) - len(row))
    return _Text(
        header,
        list(zip(*(row for _, row in rows[top + 1 :]), strict=True)),
        [f"{name}, line {line}" for line, _ in rows[top + 1 :]],
        [",".join(row).lstrip("# ") for _, row in rows[:top]],
    )


def _parquet(path: Path, name: str) -> _Text:
    try:
        import pandas
        import pyarrow  # noqa: F401  (pandas asks for it late, and in other words)
    except ImportError:
        raise MissingExtra("Parquet files", "parquet") from None
    if not path.stat().st_size:
        raise DataError(f"{name}: an empty file")
    try:
        frame = pandas.read_parquet(path)
        if not isinstance(frame.index, pandas.RangeIndex):
            frame = frame.reset_index()
    except (ValueError, TypeError) as error:
        raise DataError(f"{name}: no Parquet table: {str(error).splitlines()[0]}") from None
    columns = []
    for at in range(frame.shape[1]):
        column = frame.iloc[:, at]
        # As text, so that the same rules read both kinds of file; floats keep every digit that they have.
        zoned = isinstance(column.dtype, pandas.DatetimeTZDtype)
        columns.append(tuple((column.dt.tz_convert("UTC") if zoned else column).astype(str)))
    places = [f"{name}, row {row + 1}" for row in range(len(frame))]
    return _Text([str(each) for each in frame.columns], columns, places)


def _is_parquet(path: Path) -> bool:
    return path.suffix.lower() == ".parquet"


def _plain(name: str) -> str:
    return name.replace("_", " ").strip().lower()


def _required_columns(names: list[str], header: list[str], file: str) -> list[int]:
    """Where time, open, high, low and close stand in the header."""
    time = next((each for each in TIME_COLUMNS if each in names), None)
    if time is None and names[0] in INDEX_COLUMNS:
        time = names[0]
    missing = [each for each in CHANNELS if each not in names]
    found = ", ".join(map(reprlib.repr, header[:12])) + (", ..." if len(header) > 12 else "")
    if time is None or missing:
        lacking = ", ".join([*([] if time else ["date (or datetime, timestamp, open time, time)"]), *missing])
        raise DataError(f"{file}: no column {lacking}; the header has {found}")
    wanted = (time, *CHANNELS)
    for each in (*wanted, "volume"):
        if names.count(each) > 1:
            raise DataError(f"{file}: column '{each}' is there twice; the header has {found}")
    return [names.index(each) for each in wanted]


def _numbers(
    prices: list[tuple[str, ...]], volume: tuple[str, ...] | None
) -> tuple[NDArray[np.float64], dict[int, str]]:
    """`Table.ohlcv` and `Table.unreadable`."""
    ohlcv = np.full((len(prices[0]), 5), np.nan)
    unreadable: dict[int, str] = {}
    for index, (name, cells) in enumerate(zip((*CHANNELS, "volume"), (*prices, volume), strict=True)):
        if cells is None:
            continue
        try:
            if not any("_" in str(cell) for cell in cells):  # Python's own digit separator, and no one else's
                ohlcv[:, index] = np.array(cells, dtype=np.float64)
                continue
        except ValueError:
            pass
        for row, cell in enumerate(cells):
            try:
                ohlcv[row, index] = float(str(cell).replace("_", "?"))
            except ValueError:
                if name != "volume" or cell.strip().lower() not in UNKNOWN_VOLUME:
                    words = f"{reprlib.repr(cell)} is not a number" if cell.strip() else "an empty cell"
                    unreadable.setdefault(row, f"column '{name}': {words}")
    return ohlcv, unreadable


def _symbols(names: list[str], text: _Text) -> dict[str, list[int]]:
    """`Table.symbols`."""
    column = next((names.index(each) for each in SYMBOL_COLUMNS if each in names), None)
    if column is None:
        return {}
    rows: dict[str, list[int]] = {}
    canonical: dict[str, str] = {}
    for row, cell in enumerate(text.columns[column]):
        if cell not in canonical:
            try:
                canonical[cell] = parse_symbol(cell.strip())
            except DataError as error:
                raise DataError(f"{text.places[row]}, column '{text.header[column]}': {error}") from None
        rows.setdefault(canonical[cell], []).append(row)
    return rows
