"""Every file of bars that was found to end badly is bars or one line now."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketsim.data import read_bars
from marketsim.errors import DataError

FOUND = Path(__file__).with_name("found")
LINES = {
    "dates-in-a-struct.parquet": "column 'Date' holds several values a row, not times or numbers",
    "zone-of-mars.parquet": None,  # its stamps are UTC whatever the name of the zone
}


def test_every_found_file_is_expected_to_be_something() -> None:
    assert {path.name for path in FOUND.iterdir()} - {"README.md"} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_a_found_file_is_bars_or_one_line(name: str) -> None:
    pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    line = LINES[name]
    if line is None:
        assert len(read_bars(FOUND / name)) == 100
    else:
        with pytest.raises(DataError) as caught:
            read_bars(FOUND / name)
        assert str(caught.value) == f"{FOUND / name}: {line}"
