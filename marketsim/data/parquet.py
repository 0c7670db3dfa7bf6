"""Parquet files: bars for other programs, and writing a table completely or not at all."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from marketsim.data.bars import Bars
from marketsim.data.faults import COLUMNS
from marketsim.data.reading.arrow_tables import BARS_SCHEMA, METADATA
from marketsim.data.reading.contents import printable
from marketsim.errors import DataError, MarketsimError, MissingExtra
from marketsim.whole_file import whole_file


def write_bars(bars: Bars, path: Path) -> None:
    """Write bars to `path`, whole or not at all: columns time (UTC), open, high, low, close and volume.

    The file says their symbol, zone and source; it is read again as the same bars.

    Raises
    ------
    DataError
        A file is there that `write_bars` did not write.
    MarketsimError
        The file cannot be written.
    """
    if path.exists() and not is_ours(path):
        raise DataError(f"{printable(path)} already exists, and was not written by marketsim; choose another name")
    unit = str(bars.time.dtype)[len("datetime64[") : -1]
    said = {"schema": BARS_SCHEMA, "symbol": bars.symbol, "zone": bars.timetable.zone, "source": bars.source}
    write_table(path, {"time": bars.time} | {name: bars.ohlcv[:, i] for i, name in enumerate(COLUMNS)}, unit, said)


def write_table(path: Path, columns: Mapping[str, Any], unit: str, said: Mapping[str, Any]) -> None:
    """Write `columns` `[T]` each, of which "time" is UTC in `unit`, with metadata; MarketsimError where it fails."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("Parquet files", "parquet") from None
    stamps = pyarrow.array(columns["time"], pyarrow.timestamp(unit, "UTC"))
    table = pyarrow.table({**columns, "time": stamps}).replace_schema_metadata({METADATA: json.dumps(said)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as new, new.open("wb") as file:
            parquet.write_table(table, file, compression="zstd", write_page_checksum=True)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise MarketsimError(f"{printable(path)}: {(error.strerror or str(error)).lower()}") from error


def is_ours(path: Path) -> bool:
    """Whether a Parquet file was written by `write_bars`."""
    from pyarrow import parquet

    try:
        metadata = parquet.read_schema(path).metadata or {}
        return bool(json.loads(metadata[METADATA])["schema"] == BARS_SCHEMA)
    except Exception:  # anything else than a Parquet file of ours
        return False
