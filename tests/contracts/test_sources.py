"""What every source of bars must keep to."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from marketsim.data import Source, open_source
from marketsim.data.store import Origin, StoredBars, write
from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError
from tests.candles import random_bars


@pytest.fixture
def source(source_name: str, tmp_path: Path) -> Source:
    bars = random_bars(30)
    for name in ("AAPL", "ethusd"):
        if source_name == "store":
            origin = Origin(name.upper(), "1d", "market", name, name == "ethusd", "UTC", "not adjusted")
            stored = StoredBars(origin, bars.time[0], bars.time, bars.ohlcv)
            write(tmp_path / f"{name.upper()}-1d.parquet", stored)
        else:
            bars.to_frame().to_csv(tmp_path / f"{name}.csv")
    return open_source(source_name, str(tmp_path))


def test_symbols_are_canonical_and_in_order(source: Source) -> None:
    symbols = source.symbols()
    assert symbols
    assert symbols == sorted(set(map(parse_symbol, symbols)))


def test_bars_are_loaded_by_any_form_of_the_symbol_and_the_same_twice(source: Source) -> None:
    for symbol in source.symbols():
        bars = source.load(symbol)
        assert bars.symbol == symbol
        assert bars.fingerprint == source.load(f"{symbol[:2]}-{symbol[2:]}".lower()).fingerprint
        assert (np.diff(bars.time.astype(np.int64)) > 0).all()
        assert bars.source


def test_the_caller_may_say_what_is_crypto(source: Source) -> None:
    symbol = source.symbols()[0]
    assert source.load(symbol, crypto=True).crypto
    assert not source.load(symbol, crypto=False).crypto


def test_an_unknown_symbol_names_the_nearest(source: Source) -> None:
    symbol = source.symbols()[-1]
    with pytest.raises(DataError, match=f"did you mean '{symbol}'"):
        source.load(f"{symbol}X")


def test_a_text_that_is_no_symbol_is_refused(source: Source) -> None:
    with pytest.raises(DataError, match="is not a symbol"):
        source.load("../etc/passwd")
