"""The dialect of a text file: encoding, delimiter, header and columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from marketsim.data.reading.cells import SAMPLE, Heading
from marketsim.data.reading.columns import BARS, TableKind
from marketsim.data.reading.date_formats import kind_of, seconds_of_day
from marketsim.data.reading.decimals import styles, to_doubles
from marketsim.data.reading.formats import BY_ORDER, LAYOUTS, NAMED, TWO_ROWS, Layout, plain
from marketsim.data.reading.formats.names import STAMP, SYMBOL, UNNAMED
from marketsim.errors import DataError

DELIMITERS = ("\t", ";", "|", ",", " ")
PREAMBLE = 60  # lines above a header
TRIES = 3  # first rows of numbers from which on the columns are looked for
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CHINESE, CYRILLIC, LATIN = "gb18030", "cp1251", "cp1252"  # encodings that are tried where a file is not UTF-8
FITTING = 0.95  # of the rows, whose high and low must hold the open and the close where no header says which is which

Row = tuple[int, list[str]]  # the lines up to its end, and its cells


class Dialect(Struct, frozen=True):
    """What is needed to read a text file's cells."""

    encoding: str
    delimiter: str  # " " for any white space
    skipped: int  # lines above the first row of data
    width: int  # cells of a row
    heading: Heading
    rows: tuple[list[str], ...]  # the first rows of data

    def sample(self, column: int) -> list[str]:
        """Some cells of a column."""
        return [row[column] if column < len(row) else "" for row in self.rows]


def sniff(name: str, head: bytes, whole: bool, kind: TableKind = BARS) -> Dialect:
    """The dialect of the file `name` by its first bytes, which are all where `whole`.

    Of width 0 where no table of the `kind` is found in it. DataError where it holds nothing, or is no text.
    """
    if not head.strip():
        raise DataError(f"{name}: an empty file")
    found: list[Dialect] = []
    encodings = _encodings(head, whole, name)
    for encoding in encodings:
        text = _decoded(head, encoding, whole)
        for delimiter in [sign for sign in DELIMITERS if sign in text] or DELIMITERS[:1]:
            dialect = _with(text, encoding, delimiter, kind)
            if dialect is not None and dialect.width:
                return dialect
            if dialect is not None:
                found.append(dialect)
    if len(encodings) > 1:
        try:
            head.decode("utf-8")
        except UnicodeDecodeError as error:
            raise undecodable(name, head, error) from None
    best = max(found, key=lambda dialect: len(dialect.heading.names), default=None)
    if best is None or not best.heading.names:
        raise DataError(f"{name}: an empty file; it begins with a header such as date,open,high,low,close")
    return best


def undecodable(name: str, data: bytes, error: UnicodeDecodeError) -> DataError:
    """The first byte that is not UTF-8."""
    line = data.count(b"\n", 0, error.start) + 1
    return DataError(f"{name}, line {line}: byte 0x{data[error.start]:02x} is not UTF-8")


def _encodings(head: bytes, whole: bool, name: str) -> tuple[str, ...]:
    for bom, encoding in BOMS:
        if head.startswith(bom):
            return (encoding,)
    if b"\0" in head:
        for encoding, odd in (("utf-16-le", 1), ("utf-16-be", 0)):
            half = head[odd:400:2]
            if len(half) >= 8 and half.count(0) > 0.9 * len(half):
                return (encoding,)
        line = head.count(b"\n", 0, head.index(b"\0")) + 1
        raise DataError(f"{name}, line {line}: a binary file, not a table")
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head, final=whole)
    except UnicodeDecodeError:
        likely = _likely(head)
        return (likely, *(encoding for encoding in ("utf-8", CHINESE, CYRILLIC, LATIN) if encoding != likely))
    return ("utf-8",)


def _likely(head: bytes) -> str:
    """The encoding that bytes which are no UTF-8 look like: Latin letters stand alone, Cyrillic ones are all high."""
    runs = re.findall(rb"[\x80-\xff]+", head)
    if sum(len(run) == 1 for run in runs) > len(runs) / 2:
        return LATIN
    high = b"".join(runs)
    return CYRILLIC if sum(byte >= 0xC0 or byte in (0xA8, 0xB8) for byte in high) > 0.95 * len(high) else CHINESE


def _decoded(head: bytes, encoding: str, whole: bool) -> str:
    text = head.decode(encoding, errors="replace")
    if whole:
        return text
    end = max(text.rfind("\n"), text.rfind("\r"))
    return text[: end + 1] if end >= 0 else text


def _with(text: str, encoding: str, delimiter: str, kind: TableKind) -> Dialect | None:
    """The dialect with this delimiter: of width 0, and with the likely header, where no such table is found."""
    rows = _rows(text, delimiter)
    best: list[str] = []
    tries = TRIES
    for i, (_, row) in enumerate(rows[:PREAMBLE]):
        if len(row) > 1 and kind.is_header(row) and not _behind_sign(rows, i, kind):
            return _headed(rows, i, encoding, delimiter, kind)
        layout = None
        if kind is BARS and tries and len(row) >= 5 and sum(map(_is_number, row)) >= 4:
            layout, tries = unnamed_layout(_cells(rows[i:])), tries - 1
        if layout is not None:
            before = rows[i - 1][0] if i else 0
            names = (*layout.unnamed, *(f"column {n + 1}" for n in range(len(layout.unnamed), len(row))))[: len(row)]
            heading = Heading(names, (), layout, comma_is_point=delimiter != ",")
            return Dialect(encoding, delimiter, before, len(row), heading, _cells(rows[i:]))
        if row and not best and not row[0].startswith("#"):
            best = row
    return Dialect(encoding, delimiter, 0, 0, Heading(tuple(best)), ()) if best else None


def _rows(text: str, delimiter: str) -> list[Row]:
    """The rows that have cells, as far as they can be parsed."""
    reader = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter, skipinitialspace=True)
    rows: list[Row] = []
    try:
        for row in reader:
            cells = [cell for cell in row if cell] if delimiter == " " else row
            if "".join(cells).strip():
                rows.append((reader.line_num, cells))
            if len(rows) > SAMPLE + PREAMBLE:
                break
    except csv.Error:
        pass
    return rows


def _behind_sign(rows: list[Row], i: int, kind: TableKind) -> bool:
    """Whether a header with # before it is a comment, for another follows."""
    if not rows[i][1][0].lstrip().startswith(("#", "//")):
        return False
    return any(kind.is_header(row) for _, row in rows[i + 1 : i + 10])


def _headed(rows: list[Row], i: int, encoding: str, delimiter: str, kind: TableKind) -> Dialect:
    """The dialect of a file whose header is row `i`, with what stands on the lines above and below of it."""
    names = [name.strip() for name in rows[i][1]]
    groups: tuple[str, ...] = ()
    start = i + 1
    if start < len(rows) and _is_groups(rows[start][1], len(names), kind):
        groups = _spread(rows[start][1])
        start += 1
    elif i and _is_groups(rows[i - 1][1], len(names), kind) and len(set(names)) < len(names):
        groups = _spread(rows[i - 1][1])
    if start < len(rows) and _is_index(rows[start][1]):
        names[0] = rows[start][1][0]
        start += 1
    elif groups:
        names[0] = ""
    width = len(names)
    body = _cells(rows[start:])
    if body and len(body[0]) == width + 1 and not body[0][-1].strip():
        names.append("")
        groups = (*groups, "") if groups else ()
        width += 1
    symbols = set(filter(None, groups))
    heading = Heading(tuple(names), groups, TWO_ROWS if groups else NAMED, comma_is_point=delimiter != ",")
    if len(symbols) == 1:
        heading = replace(heading, groups=(), symbol=symbols.pop())
    return Dialect(encoding, delimiter, rows[start - 1][0], width, heading, body)


def _is_groups(row: Sequence[str], width: int, kind: TableKind) -> bool:
    """Whether a row beside a header says which symbol each column belongs to."""
    first, *rest = row
    named = plain(first) in (*SYMBOL, *UNNAMED, "tickers", "symbols", "price", "attributes")
    return len(row) == width and named and any(rest) and not any(map(_is_number, rest)) and not kind.is_header(row)


def _spread(row: Sequence[str]) -> tuple[str, ...]:
    """The groups of all columns, those of cells that are empty from the left."""
    groups = [""]
    for cell in row[1:]:
        groups.append(cell.strip() or groups[-1])
    return tuple(groups)


def _is_index(row: Sequence[str]) -> bool:
    """Whether a row is nothing but the name of the index."""
    return plain(row[0]) in STAMP and not any(cell.strip() for cell in row[1:])


def _cells(rows: Sequence[Row]) -> tuple[list[str], ...]:
    return tuple(row for _, row in rows[:SAMPLE])


def _is_number(cell: str) -> bool:
    return bool(cell.strip()) and cell.strip()[-1].isdigit() and not to_doubles(_array([cell]), styles([cell])[0])[1]


def unnamed_layout(body: Sequence[list[str]]) -> Layout | None:
    """The layout of rows without a header, by what their cells look like and which of them hold the others."""
    first = body[0]
    width = len(first) - (not first[-1].strip())
    same = [row for row in body if len(row) == len(first)]
    for layout in (*LAYOUTS, *BY_ORDER):
        names = layout.unnamed
        exact = len(names) == width or (layout in BY_ORDER and width >= len(names) - (names[-1] == "volume"))
        if names and exact and layout.matches(first[0]) and _told(names, same) and holds(names, same):
            return layout
    return None


def _told(names: Sequence[str], rows: list[list[str]]) -> bool:
    """Whether the columns of time are times, that of symbols has words, and the rest are numbers."""
    for at, name in enumerate(names[: len(rows[0])]):
        cells = [row[at].strip() for row in rows]
        kind = kind_of(cells)
        if name == "symbol":
            good = not any(map(_is_number, cells)) and not kind
        elif name in ("date", "timestamp", "open_time", "ts", "startTime", "mts") or (name == "time" and at == 0):
            good = kind in ("full", "midnight", "date") or (kind == "digits" and name == "date")
        elif name == "time":
            good = all(seconds_of_day(cell) is not None for cell in cells)
        else:
            good = _is_number(cells[0]) and kind not in ("midnight", "clock")
        if not good:
            return False
    return True


def holds(names: Sequence[str], rows: list[list[str]]) -> bool:
    """Whether high and low hold open and close, and a mean price lies between them."""
    at = {name: i for i, name in enumerate(names)}
    style = styles(cell for row in rows for cell in (row[at["open"]], row[at["close"]]))[0]
    values = {
        name: to_doubles(_array([row[at[name]] for row in rows]), style)[0] for name in ("open", "high", "low", "close")
    }
    good = (values["high"] >= np.maximum(values["open"], values["close"])) & (
        values["low"] <= np.minimum(values["open"], values["close"])
    )
    known = ~np.isnan(values["close"])
    if "vwap" in at:
        mean = to_doubles(_array([row[at["vwap"]] for row in rows]), style)[0]
        good &= ((mean >= values["low"] * 0.999) & (mean <= values["high"] * 1.001)) | (mean == 0)
    return bool(known.any() and good[known].mean() >= FITTING)


def _array(cells: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array
