"""The layout of a table in a terminal: columns, or a block of lines for each row if columns are too narrow."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Literal

from msgspec import Struct
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.table import Table

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
        width = max((min(cell_len(word), LONG) for text in words for word in text.split()), default=1)
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


def grid(title: str, table: Sequence[Column], chosen: Layout) -> Table:
    """A table of columns."""
    drawn = Table(
        title=title,
        title_justify="left",
        title_style="bold",
        box=SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, chosen.padding, 0, 0),
    )
    for column, size in zip(table, chosen.sizes, strict=True):
        justify: Literal["left", "right"] = "left" if column.is_words else "right"
        drawn.add_column(column.header, justify=justify, overflow="fold", width=size)
    for row in zip(*(column.cells for column in table), strict=True):
        drawn.add_row(*row)
    return drawn


def blocks(table: Sequence[Column], width: int) -> list[str]:
    """Lines: what a row is called, and under it a line for each of its numbers; rows are parted by an empty line."""
    names = sum(column.is_words for column in table)
    said = [column.header.replace("-\n", "-").replace("\n", " ") for column in table[names:]]
    room = _longest(said) + 2
    apart = 2 + room + max((_longest(column.cells) for column in table[names:]), default=0) > width
    lines: list[str] = []
    for row in zip(*(column.cells for column in table), strict=True):
        for heading, values in _entries(row, names):
            lines.append(heading)
            for name, (value, *more) in zip(said, values, strict=True):
                lines += [f"  {name}", f"    {value}"] if apart else [f"  {name:<{room}}{value}"]
                lines += [f"    {line}" if apart else f"  {'':<{room}}{line}" for line in more]
        lines.append("")
    return lines[:-1]


def _entries(row: Sequence[str], names: int) -> Iterator[tuple[str, list[list[str]]]]:
    """The words and the lines of numbers of a row whose cells hold several lines.

    Only a line with both words and numbers begins another entry.
    """
    heading: list[str] = []
    values: list[list[str]] | None = None
    for line in zip_longest(*(cell.split("\n") for cell in row), fillvalue=""):
        words, numbers = [*filter(None, line[:names])], line[names:]
        if values is not None and words and any(numbers):
            yield " ".join(heading), values
            heading, values = [], None
        heading += words
        if values is None:
            values = [[number] for number in numbers]
        else:
            for lines, number in zip(values, numbers, strict=True):
                lines += [number] * bool(number)
    if values is not None:
        yield " ".join(heading), values


def _longest(texts: Sequence[str]) -> int:
    return max((cell_len(line) for text in texts for line in text.split("\n")), default=0)
