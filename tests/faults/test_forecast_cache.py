"""Bytes of a small forecast cache are damaged, one at a time: the forecasts stay the same."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from marketsim.forecasting.cache.sqlite import FILE, SqliteCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import Forecasts
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from tests.candles import random_bars

BARS, ORIGINS = random_bars(60), np.arange(58, 60)
PAGE = 512  # bytes, the least that SQLite knows: so small a cache is four pages
HEADER = 100  # bytes of a file of SQLite


def through(directory: Path) -> tuple[Forecasts, list[str]]:
    """The forecasts through the cache in `directory`, and what that said."""
    with SqliteCache(directory) as cache:
        return make_forecasts(RollingQuantile(), BARS, ORIGINS, cache, Clock()), cache.warnings


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a cache that holds the forecasts."""
    directory = tmp_path_factory.mktemp("sound")
    through(directory)
    with contextlib.closing(sqlite3.connect(directory / FILE)) as file:
        for statement in ("journal_mode = DELETE", f"page_size = {PAGE}"):
            file.execute(f"PRAGMA {statement}")
        file.execute("VACUUM")
        file.execute("PRAGMA journal_mode = WAL")
    return (directory / FILE).read_bytes()


def test_no_flipped_bit_changes_a_forecast(content, tmp_path) -> None:
    expected = make_forecasts(RollingQuantile(), BARS, ORIGINS, None, Clock()).moves
    bits = np.random.default_rng(len(content)).integers(8, size=len(content))
    reused = noticed = 0
    for place in (*range(HEADER), *range(HEADER, len(content), 5)):
        spoilt = bytearray(content)
        spoilt[place] ^= 1 << bits[place]
        for path in tmp_path.iterdir():
            path.unlink()
        (tmp_path / FILE).write_bytes(spoilt)
        found, warnings = through(tmp_path)
        assert (found.moves == expected).all(), f"bit {bits[place]} of byte {place}"
        reused += found.made == 0
        noticed += bool(warnings)
    assert reused > 50 and noticed > 50  # some bytes are spare ones, some are not
