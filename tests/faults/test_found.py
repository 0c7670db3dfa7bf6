"""Every file of bars that was found to end badly ends in one line now."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketsim.data import read_bars
from marketsim.errors import DataError

FOUND = Path(__file__).with_name("found")
LINES = {
    "dates-in-a-struct.parquet": ": column 'Date' holds several values a row, not times or numbers",
    "zone-of-mars.parquet": ", column 'Date': no time zone 'Mars/Olympus'; "
    "zones look like Asia/Tokyo, America/New_York or +09:00",
}


def test_every_found_file_is_expected_to_be_something() -> None:
    assert {path.name for path in FOUND.iterdir()} - {"README.md"} == LINES.keys()


@pytest.mark.parametrize("name", LINES)
def test_a_found_file_ends_in_one_line(name: str) -> None:
    pytest.importorskip("pyarrow", reason="the extra 'parquet' is not installed")
    with pytest.raises(DataError) as caught:
        read_bars(FOUND / name)
    assert str(caught.value) == f"{FOUND / name}{LINES[name]}"
