"""Parquet files that are too large to be read, or damaged."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.data.bars import make_bars
from marketsim.data.parquet import write_bars
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


def written(path, zone=None, said=None):
    """A file of four days of bars, whose stamps have this zone, and with these words in place of our own."""
    from pyarrow import parquet

    hours = pyarrow.array([hour * 3600 for hour in (480_015, 480_039, 480_063, 480_087)], pyarrow.timestamp("s", zone))
    prices = {name: [100.0] * 4 for name in ("open", "high", "low", "close")}
    table = pyarrow.table({"date": hours, **prices})
    parquet.write_table(table.replace_schema_metadata(None if said is None else {b"marketsim": said}), path)
    return FileSource(str(path))


@pytest.mark.parametrize("zone", ["Mars/Olympus", "/etc/passwd", "+99:99"])
def test_a_zone_that_there_is_not_is_a_fault_of_the_file(zone, tmp_path):
    with pytest.raises(DataError, match=r"NVDA\.parquet, column 'date': no time zone '"):
        written(tmp_path / "NVDA.parquet", zone).load("NVDA")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b'{"schema": "marketsim.bars/1"}', "missing required field `symbol`"),
        (b'{"schema": "marketsim.bars/1", "symbol": 5, "zone": 7}', "Expected `str`, got `int`"),
        (b'{"schema": "marketsim.bars/1", "symbol": "NVDA", "zone": "Mars"}', "no time zone 'Mars'"),
        (b"[]", "Expected `object`, got `array`"),
        (b"[" * 100_000, "not a readable table"),
        (b"\xff", "not a readable table"),
    ],
)
def test_words_of_ours_that_are_damaged_are_a_fault_of_the_file(said, words, tmp_path):
    with pytest.raises(DataError, match=rf"NVDA\.parquet.*{words}"):
        written(tmp_path / "NVDA.parquet", "UTC", said).load("NVDA")


def test_a_flipped_bit_of_our_own_files_never_changes_a_number(tmp_path):
    rng = np.random.default_rng(0)
    close = 100 + rng.random((400, 1))
    ohlcv = np.hstack([close, close + rng.random((400, 1)), close - rng.random((400, 1)), close, 1e3 * close])
    bars = make_bars("X", "test", np.datetime64("2020-01-01T00:00:00") + np.arange(400) * np.timedelta64(1, "D"), ohlcv)
    path = tmp_path / "X.parquet"
    write_bars(bars, path)
    content, refused = path.read_bytes(), 0
    for at in range(5, len(content), len(content) // 50):
        path.write_bytes(content[:at] + bytes([content[at] ^ 1 << int(rng.integers(8))]) + content[at + 1 :])
        try:
            assert FileSource(str(path)).load("X").ohlcv.tolist() == bars.ohlcv.tolist()
        except DataError:
            refused += 1
    assert refused > 30
