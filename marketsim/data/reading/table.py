"""From the cells of any file to the rows of each symbol."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from marketsim.data.calendars.zones import open_zone
from marketsim.data.reading.cells import Cells, Column
from marketsim.data.reading.clocks import HOURS, ClockCells
from marketsim.data.reading.columns import Columns, describe, resolve
from marketsim.data.reading.formats import plain
from marketsim.data.reading.formats.names import ADJUSTED, IDENTIFIER, WORDS_ONLY
from marketsim.data.reading.number_style import style_of
from marketsim.data.reading.read_options import Reading, ReadOptions
from marketsim.data.reading.rows import make_series
from marketsim.data.reading.series import Series
from marketsim.data.reading.timestamps import Stamps, parse_stamps
from marketsim.data.reading.wanted import Wanted
from marketsim.data.reading.written_dates import Place
from marketsim.data.symbols import FILE, parse_symbol
from marketsim.errors import DataError, UsageError

EQUITY = ("", "EQ")  # NSE's series whose symbols stand alone


class Table(Struct, frozen=True):
    """What was read of a file."""

    name: str  # of the file, printable
    layout: str
    used: list[str]  # names of columns
    unused: list[str]
    time_column: str
    series: dict[str, Series]  # by canonical symbol; by "" where the file does not tell
    zone: str  # that its stamps were written in
    base: str | None = None  # the coin that volume is counted in, where the file says so
    notes: tuple[str, ...] = ()


def read_table(cells: Cells, options: Reading | None = None) -> Table:
    """The bars in the cells of a file of any known layout.

    DataError for what is no such table; it names file, line and column. `make_bars` checks the numbers.
    """
    found = resolve(cells.heading, cells.sample, cells.name)
    first = found[0]
    texts = sorted({text for columns in found for text in columns.texts})
    numbers = sorted({number for columns in found for number in columns.numbers})
    read = dict(cells.read(texts, numbers))
    if not len(read[first.stamps[0]]):
        raise DataError(f"{cells.name}: no bars under the header")
    at_stamp, stamps = _stamps(cells, first, read, options or ReadOptions())
    numbers_as = style_of(cells, found, read)
    series: dict[str, Series] = {}
    notes = [
        *stamps.notes,
        *numbers_as.notes,
        *(f"{cells.name}: {remark}" for remark in _remarks(cells, first)),
    ]
    for columns in found:
        rows, at = make_series(cells, columns, read, stamps, numbers_as.style)
        parts, remarks = _by_symbol(rows, at, columns, read, cells)
        notes += remarks
        for symbol, part in parts.items():
            series[symbol] = part.oldest_first(f"{cells.name}{', ' * bool(symbol)}{symbol}")
    used, unused = describe(cells.heading, first, at_stamp)
    return Table(
        cells.name,
        first.layout.name,
        used,
        unused,
        cells.heading.label(at_stamp),
        series,
        stamps.zone,
        first.base,
        tuple(dict.fromkeys(notes)),
    )


def _remarks(cells: Cells, columns: Columns) -> list[str]:
    """What the owner of a file should know of its columns."""
    remarks = [columns.layout.remark] if columns.layout.remark else []
    close = cells.heading.names[columns.prices[3]].strip()
    if plain(close) in ADJUSTED["close"]:
        remarks.append(
            f"there is no close but '{close}', which is taken for it; open, high and low may not be adjusted as it is"
        )
    return remarks


def symbols_named(cells: Cells) -> list[str] | None:
    """The symbols that the head of a file names; none where its name must tell, None where a column of it does."""
    found = resolve(cells.heading, cells.sample, cells.name)
    if any(columns.symbol is not None for columns in found):
        return None
    return list(filter(None, (_named(columns, cells) for columns in found)))


def _named(columns: Columns, cells: Cells) -> str:
    """The symbol that the header says the columns are of; "" for none."""
    return _canonical(columns.group or cells.heading.symbol or "", loose=True) or ""


def _stamps(cells: Cells, columns: Columns, read: Mapping[int, Column], options: Reading) -> tuple[int, Stamps]:
    """The column of stamps that can be read, and its stamps; the error of the first one where none can."""
    zone = options.timezone or _known_zone(cells.heading.zone, cells.name)
    clocks = None
    if columns.clock is not None:
        clocks = ClockCells(read[columns.clock], cells.heading.names[columns.clock].strip())
        _check_minutes(cells, clocks.column)
    failure: DataError | None = None
    for at in columns.stamps:
        name = cells.heading.label(at)
        column = read[at] if at in read else cells.read([at], [])[at]
        try:
            shown_in = _known_zone(cells.heading.zones.get(at), f"{cells.name}, column '{name}'")
            wanted = Wanted(options.date_format, zone, shown_in, columns.layout.dates, "--date-format")
            stamps = parse_stamps(column, _places(cells, name), cells.name, wanted, clocks)
            words = {row: f"column '{name}': {fault}" for row, fault in stamps.unreadable.items()}
            return at, replace(stamps, unreadable=words)
        except DataError as error:
            failure = failure or error
    assert failure is not None
    raise failure


def _check_minutes(cells: Cells, clock: str) -> None:
    """DataError where a column beside that of hours has the minutes."""
    names = cells.heading.names
    for at, name in enumerate(names):
        if plain(clock) in HOURS and plain(name) == "minute" and any(cell.strip("0. ") for cell in cells.sample(at)):
            raise DataError(f"{cells.name}: '{clock}' and '{name.strip()}' are two columns; write 09:30 in one, Time")


def _known_zone(zone: str | None, place: str) -> str | None:
    """The zone that a file names; DataError where there is no such zone."""
    try:
        if zone not in (None, "UTC"):
            open_zone(zone)
    except UsageError as error:
        raise DataError(f"{place}: {error}") from None
    return zone


def _places(cells: Cells, column: str) -> Place:
    return lambda row: f"{cells.place(row)}, column '{column}'"


def _by_symbol(
    series: Series, rows: np.ndarray, columns: Columns, read: Mapping[int, Column], cells: Cells
) -> tuple[dict[str, Series], list[str]]:
    """The rows of each symbol, and remarks on what is left out because its symbol is none."""
    if columns.symbol is None:
        return {_named(columns, cells): series}, []
    column = plain(cells.heading.names[columns.symbol])
    loose = column in WORDS_ONLY
    names: list[str] = [str(cell).strip() for cell in read[columns.symbol][rows]]
    if columns.series is not None:
        classes = [str(cell).strip() for cell in read[columns.series][rows]]
        names = [name if kind in EQUITY else f"{name}.{kind}" for name, kind in zip(names, classes, strict=True)]
    canonical = {name: _canonical(name, loose) for name in dict.fromkeys(names)}
    codes = {symbol: code for code, symbol in enumerate(dict.fromkeys(canonical.values()))}
    of_row = np.array([codes[canonical[name]] for name in names])
    order = np.argsort(of_row, kind="stable")
    ends = np.cumsum(np.bincount(of_row, minlength=len(codes)))
    found = {symbol: order[ends[code - 1] if code else 0 : ends[code]] for symbol, code in codes.items()}
    remarks = []
    if (lost := found.pop(None, None)) is not None:
        name = next(name for name, symbol in canonical.items() if symbol is None)
        label = cells.heading.label(columns.symbol)
        what = f"{series.place(int(lost[0]))}, column '{label}': {name!a} is not a symbol"
        remarks.append(f"{what}; {len(lost):,} row{'s are' if len(lost) > 1 else ' is'} left out")
    if not found:
        raise DataError(remarks[0])
    if column in IDENTIFIER and len(found) == 1:
        return {_named(columns, cells): series.take(*found.values())}, remarks
    return {symbol: series.take(at) for symbol, at in found.items() if symbol is not None}, remarks


def _canonical(name: str, loose: bool = False) -> str | None:
    """A symbol's canonical form; None for what is none. A company's name becomes one where `loose`.

    A program that joined files may have left their endings on: "AAPL.csv".
    """
    name = FILE.sub("", name)
    if not name:
        return None
    try:
        return parse_symbol(name)
    except DataError:
        short = re.sub(r"[^A-Za-z0-9.^=&]", "", name)[:32].upper()
        return short if loose and short else None
