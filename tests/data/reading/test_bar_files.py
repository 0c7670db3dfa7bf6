"""Bar files as their owners keep them: what each holds is known, and each is read right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from marketsim.data import open_source, read_bars
from marketsim.data.bars import Bars

FOLDER = Path(__file__).parents[3].parent / "shared" / "bar-files"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text()) if FOLDER.is_dir() else {}


@pytest.mark.skipif(not EXPECTED, reason="the folder ../shared/bar-files is not beside this checkout")
@pytest.mark.parametrize("name", EXPECTED)
def test_a_file_is_read_right(name: str) -> None:
    expected = EXPECTED[name]
    bars = read_bars(FOLDER / expected["file"])
    if isinstance(bars, dict):
        bars = bars[expected["symbol"]]
    if expected["symbol"] is not None:
        assert bars.symbol == expected["symbol"]
    if expected["crypto"] is not None:
        assert bars.crypto is expected["crypto"]
    assert len(bars) == expected["bars"]
    middle = len(bars) // 2
    for which, row in (("first", 0), ("second", 1), ("middle", middle), ("last", -1)):
        assert bar(bars, row) == expected[which]
    np.testing.assert_allclose(bars.close.sum(), expected["sum_of_closes"], rtol=1e-12)
    np.testing.assert_allclose(bars.volume.sum(), expected["sum_of_volumes"], rtol=1e-12)


@pytest.mark.skipif(not EXPECTED, reason="the folder ../shared/bar-files is not beside this checkout")
@pytest.mark.parametrize("name", EXPECTED)
def test_its_symbol_loads_it(name: str) -> None:
    path = FOLDER / EXPECTED[name]["file"]
    source = open_source("files", str(path))
    symbols = source.symbols()
    for symbol in symbols:
        assert len(source.load(symbol)) == EXPECTED[name]["bars"]
    if len(symbols) == 1:
        assert open_source("files", f"OWN={path}").load("OWN").symbol == "OWN"


def bar(bars: Bars, row: int) -> dict[str, Any]:
    values = zip(("open", "high", "low", "close", "volume"), bars.ohlcv[row].tolist(), strict=True)
    return {"time": str(bars.time[row]).replace("T", " "), **dict(values)}
