"""CSV and similar text: pandas reads the cells, with exactly the doubles of Python's `float`."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.reading.cells import MOST_ROWS, Cells, Column
from marketsim.data.reading.columns import BARS, TableKind
from marketsim.data.reading.contents import MOST_BYTES, BarFile
from marketsim.data.reading.decimals import ENGLISH, styles
from marketsim.data.reading.dialects import Dialect, sniff, undecodable
from marketsim.errors import DataError

BLOCK = 1 << 20  # bytes that are looked through at a time
PLACED = 1_000  # rows whose lines are looked up at once, at least
MISSING = ("", "nan", "NaN", "NA", "N/A", "null", "NULL")  # in columns of numbers; more of them are slower to read
LONG = b"0" * 16  # more digits than pandas' quick way reads exactly
DIGITS = bytes(b"0"[0] if chr(i) in "0123456789." else 32 for i in range(256))
POWERS = dict.fromkeys(b"eE", b"e"[0]) | dict.fromkeys(b"+-", b"-"[0]) | dict.fromkeys(b"123456789", b"1"[0])
EXPONENTS = bytes(POWERS.get(i, 32) for i in range(256))  # e-05 is as exact as a decimal, e-15 may not be

Record = tuple[int, list[str]]  # the line that a row begins on, and its cells


class Scan(Struct, frozen=True):
    """What a look through all bytes of a file tells."""

    exact: bool  # whether pandas' quick way reads every number to the last bit
    even: bool  # whether every line has all of its cells, or a single one, and none of them is in quotes


class TextCells:
    """What text files have in common, be they large or small; see `Cells`."""

    def __init__(self, name: str, dialect: Dialect) -> None:
        self.name, self.heading, self.dialect = name, dialect.heading, dialect
        self.cut: dict[int, str] = {}
        self._lines = np.empty(0, np.int64)  # that the first rows of data begin on

    def sample(self, column: int) -> list[str]:
        """See `Cells.sample`."""
        return self.dialect.sample(column)

    def place(self, row: int) -> str:
        """See `Cells.place`."""
        if row >= len(self._lines):  # twice as many each time, so that all places of a file cost a few readings of it
            with closing(self._records()) as records:
                self._lines = np.fromiter((line for line, _ in islice(records, max(PLACED, 2 * row))), np.int64)
        at = f"line {self._lines[row]}" if row < len(self._lines) else f"row {row + 1}"
        return f"{self.name}, {at}"

    def _records(self) -> Generator[Record]:
        """The rows of data, as far as they can be parted into cells."""
        raise NotImplementedError

    def _find_cut(self, lengths: Sequence[int]) -> None:
        """Remember which rows, by their numbers of cells, have fewer than most; a single cell is no row of numbers."""
        usual = Counter(lengths).most_common(1)[0][0] if lengths else 0
        cut = [(row, length) for row, length in enumerate(lengths) if 1 < length < usual]
        self.cut = {row: f"a row of {length} cells, where others have {usual}" for row, length in cut}

    def _numbered(self, lines: Iterable[str], strict: bool) -> Generator[Record]:
        """The rows in the lines behind the header. Where `strict`, DataError for what is none of them, or too long."""
        dialect, width = self.dialect, self.dialect.width
        reader = csv.reader(lines, delimiter=dialect.delimiter, skipinitialspace=True, strict=strict)
        line = dialect.skipped + 1
        try:
            for row in reader:
                cells = [cell for cell in row if cell] if dialect.delimiter == " " else row
                if strict and len(cells) > width:
                    raise _too_long(self.name, line, cells, width)
                if len(cells) > 1 or any(cell.strip() for cell in cells):
                    yield line, cells
                line = dialect.skipped + reader.line_num + 1
        except csv.Error as error:
            if strict:
                raise DataError(f"{self.name}, line {dialect.skipped + reader.line_num}: {error}") from None


class DelimitedCells(TextCells):
    """A text file of cells that is larger than its first block; see `Cells`."""

    def __init__(self, name: str, content: Path | bytes, dialect: Dialect) -> None:
        """`content` is in UTF-8."""
        super().__init__(name, dialect)
        self.content = content
        self._width = dialect.width  # of the longest row

    def read(self, texts: Sequence[int], numbers: Sequence[int]) -> Mapping[int, Column]:
        """See `Cells.read`."""
        scan = self._scan()
        if not scan.even:
            self._check_lengths()
        style = styles(cell for column in numbers for cell in self.sample(column))
        found = None
        if style[0] is ENGLISH or len(style) == 1:
            types = dict.fromkeys(texts, str) | dict.fromkeys(numbers, np.float64)
            for missing in (False, True):  # without looking for missing values, which is quicker
                try:
                    found = self._frame(types, missing, "high" if scan.exact else "round_trip", style[0].point)
                    break
                except (ValueError, OverflowError):
                    continue
        if found is None:
            return self._frame(dict.fromkeys((*texts, *numbers), str), False, "high", ".")
        return found

    def _frame(self, types: Mapping[int, type], missing: bool, precision: Any, point: str) -> dict[int, Column]:
        """The columns of `types`, read by pandas; ValueError where one is not of its type."""
        import pandas

        dialect = self.dialect
        missing_words: Any = {column: MISSING for column, kind in types.items() if kind is not str}
        try:
            with self._body() as body:
                frame = pandas.read_csv(
                    body,
                    sep=r"\s+" if dialect.delimiter == " " else dialect.delimiter,
                    header=None,
                    names=list(range(self._width)),
                    index_col=False,
                    usecols=sorted(column for column in types if column < self._width),
                    dtype=types,
                    skipinitialspace=True,
                    na_filter=missing,
                    keep_default_na=False,
                    na_values=missing_words,
                    float_precision=precision,
                    decimal=point,
                    nrows=MOST_ROWS + 1,
                    encoding="utf-8",
                )
        except UnicodeDecodeError:
            raise self._undecodable() from None
        except pandas.errors.EmptyDataError:
            return {column: np.empty(0, dtype=object) for column in types}
        except pandas.errors.ParserError as error:
            raise self._misshapen(str(error)) from None
        if len(frame) > MOST_ROWS:
            raise DataError(f"{self.name}: more than {MOST_ROWS:,} rows; split the file")
        empty = np.full(len(frame), "", dtype=object)
        return {column: frame[column].to_numpy() if column < self._width else empty for column in types}

    def _body(self) -> IO[bytes]:
        """What stands below the header."""
        stream = io.BytesIO(self.content) if isinstance(self.content, bytes) else self.content.open("rb")
        for _ in range(self.dialect.skipped):
            stream.readline()
        return stream

    def _scan(self) -> Scan:
        """Look through the file: for numbers of many digits or with a power of ten, for uneven lines, for no text."""
        kept, rest, exact, lines = b"", b"", True, 0
        signs: set[int] = set()  # numbers of delimiters in a line
        uneven = False
        sign = None if self.dialect.delimiter == " " else self.dialect.delimiter.encode()
        with self._body() as stream:
            while block := stream.read(BLOCK):
                if b"\0" in block:
                    line = self.dialect.skipped + lines + block.count(b"\n", 0, block.index(b"\0")) + 1
                    raise DataError(f"{self.name}, line {line}: a binary file, not a table")
                lines += block.count(b"\n")
                *whole, rest = (rest + block).split(b"\n")
                signs.update(len(line.split()) - 1 if sign is None else line.count(sign) for line in whole)
                uneven = uneven or b'"' in block or len(rest) > BLOCK
                rest = b"" if uneven else rest
                if exact:
                    exact = _is_exact(kept + block)
                    kept = block[1 - len(LONG) :]
        signs.add(len(rest.split()) - 1 if sign is None else rest.count(sign))
        return Scan(exact, not uneven and signs <= {-1, 0, self.dialect.width - 1})

    def _check_lengths(self) -> None:
        """See how long the rows are. DataError for one that is too long: pandas would leave out the rest of it."""
        lengths = []
        for line, row in self._records():
            if len(row) > self.dialect.width:
                raise _too_long(self.name, line, row, self.dialect.width)
            lengths.append(len(row))
        self._width = max(lengths, default=self.dialect.width)
        self._find_cut(lengths)

    def _records(self) -> Generator[Record]:
        """See `TextCells._records`."""
        with io.TextIOWrapper(self._body(), encoding="utf-8", errors="replace") as lines:
            yield from self._numbered(lines, strict=False)

    def _misshapen(self, words: str) -> DataError:
        """What pandas could not part into cells."""
        if "inside string" not in words and self.dialect.delimiter != " ":
            for line, row in self._records():
                if len(row) > self.dialect.width:
                    return _too_long(self.name, line, row, self.dialect.width)
        return DataError(f"{self.name}: {words.splitlines()[0].removeprefix('Error tokenizing data. C error: ')}")

    def _undecodable(self) -> DataError:
        """The first byte that is not UTF-8."""
        data = self.content if isinstance(self.content, bytes) else self.content.read_bytes()
        try:
            data.decode("utf-8")
        except UnicodeDecodeError as error:
            return undecodable(self.name, data, error)
        return DataError(f"{self.name}: not text in UTF-8")


class SmallCells(TextCells):
    """A small text file, for which pandas would not be worth its import; see `Cells`.

    Its cells are parted when they are first read: of the other files of a folder no more than the head is of use.
    """

    def __init__(self, name: str, content: bytes, dialect: Dialect) -> None:
        super().__init__(name, dialect)
        self.content = content

    def read(self, texts: Sequence[int], numbers: Sequence[int]) -> Mapping[int, Column]:
        """See `Cells.read`."""
        return {column: self._columns[column] for column in (*texts, *numbers)}

    @cached_property
    def _columns(self) -> NDArray[np.object_]:
        """All columns `[width, R]`."""
        width = self.dialect.width
        records = [cells for _, cells in self._records()]
        self._find_cut([len(cells) for cells in records])
        rows = [cells if len(cells) == width else cells + [""] * (width - len(cells)) for cells in records]
        columns = np.empty((width, len(rows)), dtype=object)
        for at, column in enumerate(zip(*rows, strict=True)):
            columns[at] = column
        return columns

    def _records(self) -> Generator[Record]:
        """See `TextCells._records`. DataError for what cannot be parted into cells."""
        try:
            lines = io.StringIO(self.content.decode(self.dialect.encoding), newline=None)
        except UnicodeDecodeError as error:
            raise undecodable(self.name, self.content, error) from None
        for _ in range(self.dialect.skipped):
            lines.readline()
        return self._numbered(lines, strict=True)


def open_delimited(file: BarFile, head: bytes, whole: bool, kind: TableKind = BARS) -> Cells:
    """The cells of a text file, of which `head` is the first part or the `whole`.

    DataError where no table of the `kind` is found in it, or where it is no text.
    """
    dialect = sniff(file.name, head, whole, kind)
    if not dialect.width:
        kind.resolve(dialect.heading, dialect.sample, file.name)  # says what is missing
    plain = dialect.encoding in ("utf-8", "utf-8-sig")
    if whole:
        return SmallCells(file.name, head, dialect)
    content: Path | bytes
    if plain and file.is_plain() and not _has_returns(head):
        if file.path.stat().st_size > MOST_BYTES:
            raise DataError(f"{file.name}: more than {MOST_BYTES >> 30} GiB; split the file")
        content = file.path
    else:
        content = file.read()
        if not plain:
            content = content.decode(dialect.encoding, errors="replace").encode()
        if _has_returns(head):
            content = content.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    return DelimitedCells(file.name, content, dialect)


def _has_returns(head: bytes) -> bool:
    """Whether lines end as on the first Macs."""
    return head.count(b"\r", 0, -1) > head.count(b"\r\n")


def _is_exact(block: bytes) -> bool:
    """Whether all numbers in a block have so few digits, and powers of ten so small, that they are read exactly."""
    if LONG in block.translate(DIGITS):
        return False
    if b"e" not in block and b"E" not in block:
        return True
    powers = block.translate(EXPONENTS)
    return b"e1" not in powers and b"e-1" not in powers


def _too_long(name: str, line: int, row: Sequence[str], width: int) -> DataError:
    return DataError(f"{name}, line {line}: {len(row)} cells under a header of {width}")
