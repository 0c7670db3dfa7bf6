from __future__ import annotations

import pytest

from marketsim.data.memory import MemorySource
from marketsim.errors import DataError, UsageError
from tests.candles import random_bars


def test_bars_in_memory_are_a_source():
    bars = random_bars(5)
    source = MemorySource([bars])
    assert source.symbols() == ["TEST"]
    assert source.load("te-st") is bars
    assert source.load("TEST", crypto=True).crypto
    with pytest.raises(DataError, match="no bars of TESS in memory; did you mean 'TEST'"):
        source.load("TESS")
    with pytest.raises(UsageError, match="TEST occurs twice"):
        MemorySource([bars, bars])
