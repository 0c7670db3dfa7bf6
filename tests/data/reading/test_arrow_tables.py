"""Parquet files that are too large to be read."""

from __future__ import annotations

import pytest

from marketsim.data.reading import arrow_tables
from marketsim.data.reading.files import FileSource
from marketsim.errors import DataError

pyarrow = pytest.importorskip("pyarrow", reason="Parquet is read with the extra 'parquet'")


def test_a_file_of_too_many_rows_is_refused_before_a_row_is_read(tmp_path, monkeypatch):
    from pyarrow import parquet

    days = pyarrow.array(range(20_000, 20_004), pyarrow.int32()).cast(pyarrow.date32())
    prices = {name: [100.0] * 4 for name in ("open", "high", "low", "close")}
    file = tmp_path / "NVDA.parquet"
    parquet.write_table(pyarrow.table({"date": days, **prices}), file)
    assert len(FileSource(str(tmp_path)).load("NVDA")) == 4

    content = bytearray(file.read_bytes())
    content[4:40] = bytes(36)  # of rows, which nobody could read now; what counts them is at the end
    file.write_bytes(content)
    monkeypatch.setattr(arrow_tables, "MOST_ROWS", 3)
    with pytest.raises(DataError, match=r"NVDA\.parquet: 4 rows; at most 3 are read, split the file"):
        FileSource(str(tmp_path)).load("NVDA")
