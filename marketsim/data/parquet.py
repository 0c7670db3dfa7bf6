"""Bars as a clean Parquet file, which is read again as exactly these bars."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from marketsim.data.bars import CHANNELS, Bars
from marketsim.data.reading.arrow_tables import METADATA
from marketsim.data.reading.contents import printable
from marketsim.errors import DataError, MissingExtra

SCHEMA = "marketsim.bars/1"


def write_bars(bars: Bars, path: Path) -> None:
    """Write bars to `path`, whole or not at all: columns time (UTC), open, high, low, close and volume.

    DataError where the file cannot be written, or where one is there that marketsim did not write.
    """
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        raise MissingExtra("Parquet files", "parquet") from None
    if path.exists() and not is_ours(path):
        raise DataError(f"{printable(path)} is there already, and is not of marketsim's making; choose another name")
    said = {"schema": SCHEMA, "symbol": bars.symbol, "zone": bars.timetable.zone, "source": bars.source}
    unit = str(bars.time.dtype)[len("datetime64[") : -1]
    columns = {"time": pyarrow.array(bars.time, pyarrow.timestamp(unit, "UTC"))}
    columns |= {name: pyarrow.array(bars.ohlcv[:, i]) for i, name in enumerate((*CHANNELS, "volume"))}
    table = pyarrow.table(columns).replace_schema_metadata({METADATA: json.dumps(said)})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        try:
            parquet.write_table(table, name)
            os.replace(name, path)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise DataError(f"{printable(path)}: {(error.strerror or str(error)).lower()}") from error


def is_ours(path: Path) -> bool:
    """Whether a Parquet file was written by `write_bars`."""
    from pyarrow import parquet

    try:
        return METADATA in (parquet.read_schema(path).metadata or {})
    except Exception:  # anything else than Parquet
        return False
