"""How a table is laid out in a terminal: in columns, or a block for each row where columns would break numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from unicodedata import combining, east_asian_width

from msgspec import Struct

LONG = 32  # characters of a word that may be broken


class Column(Struct, frozen=True):
    """A column's header and cells, which may hold several lines each."""

    header: str
    cells: tuple[str, ...]
    is_words: bool  # rather than numbers, which are never broken

    @property
    def narrowest(self) -> int:
        """Characters that it needs at least."""
        words = (self.header, *self.cells) if self.is_words else (self.header,)
        width = max((min(_length(word), LONG) for text in words for word in text.split()), default=1)
        return width if self.is_words else max(width, _longest(self.cells))

    @property
    def widest(self) -> int:
        """Characters that it can use."""
        return max(self.narrowest, _longest((self.header, *self.cells)))


class Layout(Struct, frozen=True):
    """The width of each column, and the blanks behind them besides the one that parts columns."""

    sizes: tuple[int, ...]
    padding: int


def columns(headers: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> list[Column]:
    """The columns of a table whose first `words` are text."""
    cells = list(zip(*rows, strict=True)) if rows else [()] * len(headers)
    return [Column(header, cells[i], i < words) for i, header in enumerate(headers)]


def layout(table: Sequence[Column], width: int) -> Layout | None:
    """How wide columns are in a terminal of `width` characters; None where they do not fit.

    >>> names, numbers = Column("Strategy", ("entry-exit unfitted",), True), Column("Mean bps", ("+1.25",), False)
    >>> layout([names, numbers], 80), layout([names, numbers], 16), layout([names, numbers], 12)
    (Layout(sizes=(19, 8), padding=1), Layout(sizes=(10, 5), padding=0), None)
    """
    found = [column.narrowest for column in table]
    for padding in (1, 0):
        room = width - sum(found) - padding * len(table) - (len(table) - 1)  # the box parts columns by a blank
        if room >= 0:
            break
    else:
        return None
    for i, column in enumerate(table):
        more = min(room, column.widest - found[i])
        found[i] += more
        room -= more
    return Layout(tuple(found), padding)


def grid(title: str, table: Sequence[Column], chosen: Layout, rule: str, bold: Callable[[str], str]) -> list[str]:
    """The lines of a table in columns: title and headers, which are `bold`, a line of `rule`, and the rows.

    >>> table = [Column("Strategy", ("entry-exit",), True), Column("bps", ("+1.25",), False)]
    >>> print("\\n".join(grid("Profit", table, Layout((10, 5), 1), "-", str)))
    Profit
    Strategy      bps
    -----------------
    entry-exit  +1.25
    """
    width = sum(chosen.sizes) + (chosen.padding + 1) * (len(table) - 1)
    headers = [_wrapped(column.header, size) for column, size in zip(table, chosen.sizes, strict=True)]
    deepest = max(map(len, headers))
    headers = [[""] * (deepest - len(header)) + header for header in headers]
    rows = zip(*(column.cells for column in table), strict=True)
    return [
        *map(bold, _wrapped(title, width)),
        *map(bold, _lines(headers, table, chosen)),
        rule * width,
        *(line for row in rows for line in _lines(list(map(_wrapped, row, chosen.sizes)), table, chosen)),
    ]


def _lines(cells: Sequence[Sequence[str]], table: Sequence[Column], chosen: Layout) -> list[str]:
    """The lines of a row, from those of its cells: words to the left, numbers to the right."""
    between = " " * (chosen.padding + 1)
    lines = []
    for texts in zip_longest(*cells, fillvalue=""):
        padded = [
            text + _blanks(text, size) if column.is_words else _blanks(text, size) + text
            for text, column, size in zip(texts, table, chosen.sizes, strict=True)
        ]
        lines.append(between.join(padded).rstrip())
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    """The lines of a text, in lines of at most `width` characters; a word breaks only where it is longer."""
    return [
        part
        for line in text.split("\n")
        for part in ([line] if _length(line) <= width else textwrap.wrap(line, width, break_on_hyphens=False))
    ]


def _blanks(text: str, size: int) -> str:
    return " " * (size - _length(text))


def _length(text: str) -> int:
    """The columns of a terminal that a text takes: two for a character such as \u6771."""
    if text.isascii():
        return len(text)
    return sum(2 if east_asian_width(letter) in "WF" else not combining(letter) for letter in text)


def blocks(title: str, table: Sequence[Column], width: int, bold: Callable[[str], str]) -> list[str]:
    """The lines of a table by rows: what a row is called, and under it a line for each of its numbers."""
    names = sum(column.is_words for column in table)
    said = [column.header.replace("-\n", "-").replace("\n", " ") for column in table[names:]]
    room = _longest(said) + 2
    apart = 2 + room + max((_longest(column.cells) for column in table[names:]), default=0) > width
    lines = [*map(bold, _wrapped(title, width)), ""]
    for row in zip(*(column.cells for column in table), strict=True):
        for heading, values in _entries(row, names):
            lines.append(heading)
            for name, value in zip(said, values, strict=True):
                lines += [f"  {name}", f"    {value}"] if apart else [f"  {name:<{room}}{value}"]
        lines.append("")
    return lines[:-1]


def _entries(row: Sequence[str], names: int) -> Iterator[tuple[str, Sequence[str]]]:
    """The words and the numbers of a row whose cells hold several lines: words alone go on with the line before."""
    heading: list[str] = []
    values: Sequence[str] | None = None
    for line in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
        if values is not None and any(line[names:]):
            yield " ".join(heading), values
            heading, values = [], None
        heading += filter(None, line[:names])
        values = line[names:] if values is None else values
    if values is not None:
        yield " ".join(heading), values


def _longest(texts: Sequence[str]) -> int:
    return max((_length(line) for text in texts for line in text.split("\n")), default=0)
