"""Parquet and Feather: pyarrow reads the needed columns, one row group at a time, without text."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from msgspec import Struct, field, json
from msgspec.structs import replace

from marketsim.data.reading.cells import MOST_ROWS, SAMPLE, Column, Heading
from marketsim.data.reading.contents import BarFile, printable
from marketsim.data.reading.formats import Layout
from marketsim.errors import DataError, MissingExtra

METADATA = b"marketsim"  # the key of what a file of ours says of its bars
BARS_SCHEMA, STORE_SCHEMA = "marketsim.bars/1", "marketsim.store/1"
OWN = Layout("marketsim")


class _Schema(Struct, frozen=True):
    """What is read first of the words that a file of ours has beside its columns."""

    schema: str = ""


class _OwnBars(Struct, frozen=True):
    """The metadata of a file that marketsim wrote."""

    symbol: str
    zone: str


Batches = Callable[
    [Sequence[int], int], Iterator[Any]
]  # columns and how many rows at most -> tables, one after another


class ArrowCells(Struct, frozen=True):
    """A file of columns; see `Cells`."""

    name: str
    heading: Heading
    batches: Batches
    samples: dict[int, list[str]] = field(default_factory=dict)  # that were read already
    cut: Mapping[int, str] = field(default_factory=dict)

    def sample(self, column: int) -> list[str]:
        """See `Cells.sample`."""
        if column not in self.samples:
            with _told(self.name):
                table = next(self.batches([column], SAMPLE), None)
                cells = () if table is None else self._column(table.column(0).slice(0, SAMPLE), column, text=True)
            self.samples[column] = list(map(str, cells))
        return self.samples[column]

    def read(self, texts: Sequence[int], numbers: Sequence[int]) -> Mapping[int, Column]:
        """See `Cells.read`."""
        wanted = sorted({*texts, *numbers})
        parts: dict[int, list[Column]] = {at: [] for at in wanted}
        rows = 0
        with _told(self.name):
            for table in self.batches(wanted, MOST_ROWS):
                rows += len(table)
                if rows > MOST_ROWS:
                    raise _too_many(self.name, rows)
                for at, column in zip(wanted, table.columns, strict=True):
                    parts[at].append(self._column(column, at, text=at in texts))
        return {at: _whole(columns) for at, columns in parts.items()}

    def place(self, row: int) -> str:
        """See `Cells.place`."""
        return f"{self.name}, row {row + 1}"

    def _column(self, column: Any, at: int, text: bool) -> Column:
        """A column as datetime64[ns], int64, float64 or text."""
        import pyarrow

        types = pyarrow.types
        kind = column.type
        if types.is_dictionary(kind):
            kind = kind.value_type
            column = column.cast(kind)
        if types.is_timestamp(kind) or types.is_date(kind):
            plain = column.cast(pyarrow.timestamp("ns", getattr(kind, "tz", None)))
            return np.asarray(plain.to_numpy(), dtype="datetime64[ns]")
        if types.is_integer(kind) and text and not column.null_count:
            return np.asarray(column.to_numpy(), dtype=np.int64)
        if types.is_decimal(kind):
            return np.array([np.nan if cell is None else float(cell) for cell in column.to_pylist()])
        if types.is_integer(kind) or types.is_floating(kind):
            return np.asarray(column.cast(pyarrow.float64(), safe=False).to_numpy(), dtype=np.float64)
        if types.is_string(kind) or types.is_large_string(kind) or types.is_boolean(kind) or types.is_time(kind):
            cells = column.cast(pyarrow.string()).fill_null("").to_numpy()
            return np.asarray(cells, dtype=object)
        if types.is_null(kind):
            return np.full(len(column), np.nan)
        raise DataError(f"{self.name}: column '{self.heading.names[at]}' is of type {kind}, not of times or numbers")


def open_arrow(file: BarFile, head: bytes) -> ArrowCells:
    """The cells of a Parquet or Feather file. DataError for what is none, or has more than `MOST_ROWS` rows."""
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("Parquet and Feather files", "parquet") from None
    name = file.name
    if head.startswith(b"FEA1"):
        raise DataError(f"{name}: Feather version 1, which is out of use; write it again as version 2, or as Parquet")
    with _told(name):
        source = pyarrow.memory_map(str(file.path)) if file.is_plain() else pyarrow.BufferReader(file.read())
        schema, batches = (_parquet if head.startswith(b"PAR1") else _feather)(source, name)
        zones = {at: column.type.tz for at, column in enumerate(schema) if getattr(column.type, "tz", None)}
        heading = Heading(tuple(map(str, schema.names)), zones=zones)
        return ArrowCells(name, _own(heading, schema.metadata or {}, file), batches)


def _own(heading: Heading, metadata: Mapping[bytes, bytes], file: BarFile) -> Heading:
    """The heading of a file of ours, which says more. DataError for one of the store, whose digest is to be checked."""
    written = metadata.get(METADATA, b"{}")
    schema = json.decode(written, type=_Schema).schema
    if schema == STORE_SCHEMA:
        place = shlex.quote(printable(file.path.parent))
        raise DataError(f"{file.name}: a file of the store, which '--source store --data {place}' reads and checks")
    if schema != BARS_SCHEMA:
        return heading
    said = json.decode(written, type=_OwnBars)
    return replace(
        heading,
        layout=OWN,
        symbol=said.symbol,
        zones=dict.fromkeys(heading.zones, said.zone),
    )


def _parquet(source: Any, name: str) -> tuple[Any, Batches]:
    from pyarrow import parquet

    file = parquet.ParquetFile(source, page_checksum_verification=True)
    if file.metadata.num_rows > MOST_ROWS:
        raise _too_many(name, file.metadata.num_rows)
    leaves = [file.metadata.schema.column(i).path for i in range(file.metadata.num_columns)]

    def batches(columns: Sequence[int], rows: int) -> Iterator[Any]:
        paths = [_leaf(leaves, file.schema_arrow.names[at], name) for at in columns]
        if rows < MOST_ROWS:
            for batch in file.reader.iter_batches(rows, row_groups=range(file.num_row_groups), column_indices=paths):
                yield _ordered(batch, columns, file.schema_arrow.names)
            return
        for group in range(file.num_row_groups):
            yield _ordered(file.reader.read_row_group(group, column_indices=paths), columns, file.schema_arrow.names)

    return file.schema_arrow, batches


def _leaf(leaves: Sequence[str], column: str, name: str) -> int:
    if column not in leaves:
        raise DataError(f"{name}: column '{column}' holds several values a row, not times or numbers")
    return leaves.index(column)


def _feather(source: Any, name: str) -> tuple[Any, Batches]:
    from pyarrow import ipc

    schema = ipc.open_file(source).schema

    def batches(columns: Sequence[int], rows: int) -> Iterator[Any]:
        options = ipc.IpcReadOptions(included_fields=list(columns))
        reader = ipc.open_file(source, options=options)
        for i in range(reader.num_record_batches):
            batch = reader.get_batch(i)
            batch.validate(full=True)
            yield _ordered(batch, columns, schema.names)

    return schema, batches


def _ordered(table: Any, columns: Sequence[int], names: Sequence[str]) -> Any:
    """The columns in the requested order."""
    import pyarrow

    found = [table.column(table.schema.names.index(names[at])) for at in columns]
    return pyarrow.table(found, names=[str(at) for at in columns])


def _whole(columns: list[Column]) -> Column:
    if not columns:
        return np.empty(0, dtype=object)
    return columns[0] if len(columns) == 1 else np.concatenate(columns)


def _too_many(name: str, rows: int) -> DataError:
    return DataError(f"{name}: {rows:,} rows; at most {MOST_ROWS:,} are read, split the file")


@contextmanager
def _told(name: str) -> Iterator[None]:
    """What pyarrow raises, in one line."""
    try:
        yield
    except (DataError, MissingExtra):
        raise
    except OSError as error:
        words = error.strerror or str(error)
        raise DataError(f"{name}: not a readable table: {words.splitlines()[0] if words else error!r}") from error
    except MemoryError:
        raise DataError(f"{name}: its columns do not fit into memory") from None
    except Exception as error:  # KeyError, IndexError, AssertionError and more, of damaged files
        words = (str(error) or type(error).__name__).splitlines()[0]
        raise DataError(f"{name}: not a readable table: {words}") from error
