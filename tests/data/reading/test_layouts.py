"""Every known layout, on a file as its provider writes it: all cells are read right, and the layout is named."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from marketsim.data import open_source
from marketsim.data.reading.files import FileSource
from marketsim.data.reading.formats import LAYOUTS
from tests.data.reading.exchange_files import EXCHANGE_FILES
from tests.data.reading.json_files import JSON_FILES
from tests.data.reading.program_files import PROGRAM_FILES
from tests.data.reading.stock_files import STOCK_FILES

FILES = {**STOCK_FILES, **EXCHANGE_FILES, **PROGRAM_FILES, **JSON_FILES}


@pytest.mark.parametrize("name", FILES)
def test_a_layout_is_read_right_and_named(tmp_path: Path, name: str) -> None:
    file = FILES[name]
    path = tmp_path / file.name
    path.write_bytes(file.content)
    source = open_source("files", str(path))
    assert isinstance(source, FileSource)
    assert file.symbol in source.symbols()
    bars = source.load(file.symbol)
    assert bars.time.tolist() == [row.time for row in file.rows]
    expected = [[row.open, row.high, row.low, row.close] for row in file.rows]
    assert bars.ohlcv[:, :4].tolist() == expected
    volume = [row.volume if file.volume else np.nan for row in file.rows]
    np.testing.assert_array_equal(bars.volume, volume)
    assert bars.crypto is file.crypto
    assert source.table_of(file.symbol).layout == file.layout
    for words in file.notes:
        assert any(words in note for note in bars.notes), bars.notes


def test_every_known_layout_has_a_file() -> None:
    assert {layout.name for layout in LAYOUTS} <= {file.layout for file in FILES.values()}
