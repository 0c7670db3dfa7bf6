"""The dialect of a text file: encoding, delimiter, header and columns."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from marketsim.data.reading.cells import SAMPLE, Heading
from marketsim.data.reading.columns import BARS, TableKind
from marketsim.data.reading.formats import NAMED, TWO_ROWS, Layout, plain
from marketsim.data.reading.formats.names import STAMP, SYMBOL, UNNAMED
from marketsim.data.reading.unnamed_columns import (
    is_bar,
    is_number,
    names_columns,
    numbers_columns,
    unnamed_layout,
)
from marketsim.errors import DataError

DELIMITERS = ("\t", ";", "|", ",", " ")
PREAMBLE = 60  # lines above a header
TRIES = 3  # first rows of numbers from which on the columns are looked for
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
CHINESE, CYRILLIC, LATIN = "gb18030", "cp1251", "cp1252"
ENCODINGS = ("utf-8", CHINESE, CYRILLIC, LATIN, "cp932", "mac_roman", "cp1250", "cp1254", "big5")  # that are tried

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
    best = max(found, key=lambda dialect: (bool(dialect.rows), len(dialect.heading.names)), default=None)
    if len(encodings) > 1 and not (best and best.rows):
        try:
            head.decode("utf-8")
        except UnicodeDecodeError as error:
            raise undecodable(name, head, error) from None
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
        return (likely, *(encoding for encoding in ENCODINGS if encoding != likely))
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
        numeric = len(row) >= 5 and sum(map(is_number, row)) >= 4 and not numbers_columns(row)
        if kind is BARS and tries and numeric:
            layout, tries = unnamed_layout(_cells(rows[i:])), tries - 1
            if layout is not None:
                return _unnamed(rows, i, encoding, delimiter, layout)
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


def _unnamed(rows: list[Row], i: int, encoding: str, delimiter: str, layout: Layout) -> Dialect:
    """The dialect of a file whose columns have no known names, and whose row `i` is a whole bar of the `layout`.

    Bars above it with a bad cell are rows of data too. Of width 0 where names stand above it, for they may tell
    another order of the columns.
    """
    body, start = rows[i][1], i
    for at, (_, row) in enumerate(rows[:i]):
        if names_columns(row, body):
            return Dialect(encoding, delimiter, 0, 0, Heading(tuple(row)), _cells(rows[i:]))
        if start == i and is_bar(row, layout):
            start = at
    before, width = rows[start - 1][0] if start else 0, len(body)
    names = (*layout.unnamed, *(f"column {n + 1}" for n in range(len(layout.unnamed), width)))[:width]
    heading = Heading(names, (), layout, comma_is_point=delimiter != ",")
    return Dialect(encoding, delimiter, before, width, heading, _cells(rows[start:]))


def _is_groups(row: Sequence[str], width: int, kind: TableKind) -> bool:
    """Whether a row beside a header says which symbol each column belongs to."""
    first, *rest = row
    named = plain(first) in (*SYMBOL, *UNNAMED, "tickers", "symbols", "price", "attributes")
    return len(row) == width and named and any(rest) and not any(map(is_number, rest)) and not kind.is_header(row)


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
