"""What both caches must keep to, the file and the database."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable

import numpy as np
import pytest

from marketsim.forecasting.cache import ForecastCache, connect
from marketsim.forecasting.cache.forecast_cache import ModelCount, SymbolCount
from marketsim.forecasting.cache.sqlite import FILE
from marketsim.forecasting.cache.verification import DigestCheck, check_digests, verify
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.keys import fingerprint, series_keys
from marketsim.forecasting.series import Series
from marketsim.models.har import Har
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings
from tests.candles import random_bars

MODEL = RollingQuantile()
IDENTITY = fingerprint(MODEL)
ROWS = {bytes([i]) * 20: np.full((4, 9), float(i)) for i in range(100)}
Open = Callable[..., ForecastCache]


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path) -> Open:
    """`opened(mode)` opens the same cache each time, at first an empty one."""
    if request.param == "sqlite":
        settings = Settings.of(cache_dir=str(tmp_path / "new" / "deep"))
    else:
        settings = Settings.of(cache_url=request.getfixturevalue("postgres").url)
    return lambda mode="readwrite": connect(settings.cache_place, mode)


@pytest.fixture
def edit(request: pytest.FixtureRequest, opened: Open, tmp_path) -> Callable[[str, bytes, bytes], None]:
    """`edit(change, key, other)` changes the stored row of `key` behind the cache's back."""
    if request.node.callspec.params["opened"] == "postgres":
        execute, table, mark = request.getfixturevalue("postgres").execute, "marketsim_2.forecasts", "%s"
    else:

        def execute(sql: str, *values: bytes) -> None:
            with contextlib.closing(sqlite3.connect(tmp_path / "new" / "deep" / FILE)) as file, file:
                file.execute(sql, values)

        table, mark = "forecasts", "?"

    def edit(change: str, key: bytes, other: bytes) -> None:
        sets = change.format(table, mark)
        values = [other, key] if mark in sets else [key]
        execute(f"UPDATE {table} SET {sets} WHERE key = {mark}", *values)

    return edit


def fill(opened: Open) -> None:
    with opened() as cache:
        cache.put(MODEL, ROWS, "TEST")
        assert not cache.warnings


def test_rows_come_back_to_the_bit(opened) -> None:
    rows = {b"a": np.random.default_rng(0).normal(size=(4, 9)), b"b": np.array([[0.1, -0.0, np.nan, 5e-324]])}
    with opened() as cache:
        cache.put(MODEL, rows, "TEST")
        assert cache.get(IDENTITY, [b"a", b"b", b"c"]).keys() == rows.keys()
    with opened() as cache:
        for key, row in cache.get(IDENTITY, [b"b", b"a"]).items():
            assert row.tobytes() == rows[key].tobytes()
            assert row.shape == rows[key].shape
        assert cache.get("another model", [b"a"]) == {}
        assert cache.get(IDENTITY, []) == {}
        cache.put(MODEL, {}, "TEST")
        assert not cache.warnings


def test_more_keys_than_one_query_takes(opened) -> None:
    keys = [i.to_bytes(20, "big") for i in range(1203)]
    with opened() as cache:
        cache.put(MODEL, {key: np.array([i]) for i, key in enumerate(keys)}, "TEST")
        found = cache.get(IDENTITY, keys)
    assert [found[key][0] for key in keys] == list(range(1203))


def test_refresh_reads_nothing_and_replaces(opened) -> None:
    fill(opened)
    key = bytes([3]) * 20
    with opened("refresh") as cache:
        assert cache.get(IDENTITY, list(ROWS)) == {}
        cache.put(MODEL, {key: np.zeros(2)}, "TEST")
    with opened() as cache:
        found = cache.get(IDENTITY, list(ROWS))
    np.testing.assert_array_equal(found[key], np.zeros(2))
    assert len(found) == len(ROWS)


def test_readonly_neither_creates_nor_writes(opened) -> None:
    with opened("readonly") as cache:
        cache.put(MODEL, ROWS, "TEST")
        assert (cache.usable, cache.get(IDENTITY, list(ROWS)), cache.warnings) == (False, {}, [])
    fill(opened)
    with opened("readonly") as cache:
        cache.put(MODEL, {b"new": np.ones(1)}, "TEST")
        assert len(cache.get(IDENTITY, [*ROWS, b"new"])) == len(ROWS)
        assert (cache.clear(), cache.warnings) == (0, [])


def test_info_counts_by_model_and_symbol(opened) -> None:
    fill(opened)
    with opened() as cache:
        empty = cache.info().bytes
        cache.put(Har(), {b"a": np.ones(1)}, "OTHER")
        info = cache.info()
    assert info.forecasts == 101
    assert info.models == (
        ModelCount("har", Har.version, fingerprint(Har()), 1),
        ModelCount("rolling-quantile", "1", IDENTITY, 100),
    )
    assert info.symbols == (SymbolCount("OTHER", 1), SymbolCount("TEST", 100))
    assert info.bytes >= empty > 100 * 36 * 8
    assert info.oldest and info.newest
    assert abs(info.newest - time.time()) < 100


def test_a_cache_that_is_cleared_is_empty_and_goes_on(opened) -> None:
    fill(opened)
    with opened() as cache:
        assert cache.clear() == 100
        assert (cache.info().forecasts, cache.info().models, cache.info().oldest) == (0, (), None)
        assert cache.get(IDENTITY, list(ROWS)) == {}
    fill(opened)


def test_a_closed_cache_holds_nothing_and_keeps_nothing(opened) -> None:
    with opened() as cache:
        pass
    cache.put(MODEL, ROWS, "TEST")
    assert (cache.get(IDENTITY, list(ROWS)), cache.info().forecasts, cache.warnings) == ({}, 0, [])


def test_verify_finds_the_row_that_differs(opened) -> None:
    bars, origins, model = random_bars(300), np.arange(200, 300), Har()
    with opened() as cache:
        assert verify(cache, model, bars, seed=0).cached == 0
        make_forecasts(model, bars, origins, cache, Clock())
        found = verify(cache, model, bars, seed=0, sample=30)
        assert (found.cached, found.checked, found.different) == (100, 30, ())
        key = series_keys(Series.of(bars), np.array([250]))[0]
        cache.put(model, {key: cache.get(fingerprint(model), [key])[key] + 1e-5}, "TEST")
        assert verify(cache, model, bars, seed=0, sample=1000).different == (250,)
        cache.put(model, {key: np.ones(2)}, "TEST")
        assert verify(cache, model, bars, seed=0, sample=1000).different == (250,)


def test_the_seed_tells_which_forecasts_are_made_again(opened) -> None:
    bars, model = random_bars(300), Har()
    with opened() as cache:
        make_forecasts(model, bars, np.arange(200, 300), cache, Clock())
        keys = series_keys(Series.of(bars), np.arange(200, 300))
        cache.put(model, {key: row + 1e-5 for key, row in cache.get(fingerprint(model), keys).items()}, "TEST")
        one, again, other = (verify(cache, model, bars, seed).different for seed in (1, 1, 2))
    assert one == again != other
    assert len(one) == len(other) == 20


@pytest.mark.parametrize(
    "change",
    [
        "value = (SELECT value FROM {} WHERE key = {})",  # a sound forecast, but of another key
        "shape = '9,4'",
        "shape = 'x'",
        "dtype = '<f4'",
        "value = NULL",
        "symbol = 'OTHER'",
        "made = made + 1",
        "digest = NULL",
    ],
)
def test_a_row_that_is_not_what_was_written_is_missing_counted_and_replaced(opened, edit, change) -> None:
    fill(opened)
    edit(change, key := bytes([3]) * 20, bytes([4]) * 20)
    with opened() as cache:
        assert check_digests(cache) == DigestCheck(100, 1)
        for _ in range(2):
            assert cache.get(IDENTITY, list(ROWS)).keys() == ROWS.keys() - {key}
        [warning] = cache.warnings
    assert warning.endswith("1 stored forecast is damaged (wrong digest) and counted as missing")
    fill(opened)
    with opened() as cache:
        np.testing.assert_array_equal(cache.get(IDENTITY, [key])[key], ROWS[key])
        assert check_digests(cache) == DigestCheck(100, 0)
        assert not cache.warnings


def test_damage_is_counted_in_one_warning(opened, edit) -> None:
    fill(opened)
    for i in (3, 4):
        edit("shape = '9,4'", bytes([i]) * 20, b"")
    with opened() as cache:
        for key in ROWS:
            cache.get(IDENTITY, [key])
        [warning] = cache.warnings
    assert "2 stored forecasts are damaged" in warning
