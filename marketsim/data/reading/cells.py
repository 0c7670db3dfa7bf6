"""The uninterpreted columns of a file, the common result of the CSV, JSON, Parquet and Feather readers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from msgspec import Struct, field
from msgspec.structs import force_setattr
from numpy.typing import NDArray

from marketsim.data.reading.formats import NAMED, Layout

MOST_ROWS = 10_000_000  # of a file: 19 years of minutes around the clock, in 2.5 GB of memory
SAMPLE = 200  # rows that tell what a column holds

Column = NDArray[Any]  # [R] float64, int64, datetime64[ns], or str objects


class Heading(Struct, frozen=True):
    """The header of a file."""

    names: tuple[str, ...]  # of its columns, as written
    groups: tuple[str, ...] = ()  # the symbol that each column belongs to, where the header has a second line
    layout: Layout = NAMED  # where it is told by something else than the names
    symbol: str | None = None  # that the file itself names
    zone: str | None = None  # of naive stamps, where the file names it
    zones: Mapping[int, str] = field(default_factory=dict)  # column -> the zone of its stamps, which are UTC
    comma_is_point: bool = False  # where a comma with three digits behind it may be either

    def __post_init__(self) -> None:
        """Names stand in messages: what cannot be printed is left out of them."""
        names = tuple("".join(filter(str.isprintable, name)) for name in self.names)
        force_setattr(self, "names", names)

    def label(self, column: int) -> str:
        """What messages call a column: its name, or else its position."""
        return self.names[column].strip() or f"column {column + 1}"


class Cells(Protocol):
    """A file whose rows can be read column by column."""

    @property
    def name(self) -> str:
        """Of the file, printable."""
        ...

    @property
    def heading(self) -> Heading:
        """The header of the file."""
        ...

    @property
    def cut(self) -> Mapping[int, str]:
        """Of what was read, the rows with fewer cells than the others, and words for each."""
        ...

    def sample(self, column: int) -> list[str]:
        """Some cells of a column, as text."""
        ...

    def read(self, texts: Sequence[int], numbers: Sequence[int]) -> Mapping[int, Column]:
        """The columns by position; those of `numbers` as float64 where all their cells are plain numbers."""
        ...

    def place(self, row: int) -> str:
        """File and line of a row, for messages."""
        ...


class LoadedCells(Struct, frozen=True):
    """Cells in memory."""

    name: str
    heading: Heading
    columns: tuple[Column, ...]
    row: Callable[[int], str]  # what messages call a row
    cut: Mapping[int, str] = field(default_factory=dict)

    def sample(self, column: int) -> list[str]:
        """See `Cells.sample`."""
        return [str(cell) for cell in self.columns[column][:SAMPLE]]

    def read(self, texts: Sequence[int], numbers: Sequence[int]) -> Mapping[int, Column]:
        """See `Cells.read`."""
        return {column: self.columns[column] for column in (*texts, *numbers)}

    def place(self, row: int) -> str:
        """See `Cells.place`."""
        return f"{self.name}, {self.row(row)}"


def column_of(values: Sequence[Any]) -> Column:
    """Values of any types as a column: doubles if all are numbers or None, else text."""
    if all(value is None or type(value) in (int, float) for value in values):
        if all(type(value) is int and abs(value) < 1 << 62 for value in values):
            return np.array(values, dtype=np.int64)
        return np.array([np.nan if value is None else _double(value) for value in values], dtype=np.float64)
    column = np.empty(len(values), dtype=object)
    column[:] = ["" if value is None else str(value) for value in values]
    return column


def _double(value: float) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf
