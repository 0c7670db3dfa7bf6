"""The cache under everything that may befall a file that several processes share."""

import contextlib
import os
import signal
import sqlite3
import time

import numpy as np
import platformdirs
import pytest

from marketsim.errors import MarketsimError
from marketsim.forecasting.audit_records import open_records
from marketsim.forecasting.cache import connect
from marketsim.forecasting.cache import sqlite as module
from marketsim.forecasting.cache.sqlite import FILE, SqliteCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.profiling import Clock
from marketsim.settings.groups import CacheSettings
from tests.candles import random_bars
from tests.forecasting.cache.sqlite_files import IDENTITY, MODEL, ROWS, fill, read, sound, writer


def test_stored_values_are_raw_little_endian(tmp_path) -> None:
    fill(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as database:
        query = "SELECT dtype, shape, value FROM forecasts WHERE key = ?"
        dtype, shape, value = database.execute(query, (bytes([7]) * 20,)).fetchone()
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (dtype, shape, value) == ("<f8", "4,9", np.full(36, 7.0, "<f8").tobytes())


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_kill_while_writing_leaves_whole_batches(tmp_path, kill) -> None:
    for delay in (0.0, 0.01, 0.03):
        victim = writer(tmp_path, 0, 1_000_000)
        assert victim.stdout
        victim.stdout.readline()
        time.sleep(delay)
        victim.send_signal(kill)
        victim.communicate()
        assert sound(tmp_path)
        with SqliteCache(tmp_path) as cache:
            rows = cache.info().forecasts
            assert not cache.warnings
        assert rows == 0 or rows % 50 == 1
    fill(tmp_path)


def test_readonly_neither_creates_nor_writes(tmp_path) -> None:
    absent = tmp_path / "absent"
    with SqliteCache(absent, "readonly") as cache:
        assert cache.get(IDENTITY, list(ROWS)) == {}
        cache.put(MODEL, ROWS, "TEST")
        assert (cache.info().forecasts, cache.clear(), cache.warnings) == (0, 0, [])
    assert not absent.exists()
    fill(tmp_path)
    before = (tmp_path / FILE).read_bytes()
    with SqliteCache(tmp_path, "readonly") as cache:
        cache.put(MODEL, {b"new": np.ones(1)}, "TEST")
        assert len(cache.get(IDENTITY, [*ROWS, b"new"])) == len(ROWS)
        assert cache.prune(keep_bytes=0) == 0
        assert cache.warnings == []
    assert (tmp_path / FILE).read_bytes() == before


def test_readonly_reads_from_a_place_that_cannot_be_written(tmp_path, monkeypatch) -> None:
    fill(tmp_path)
    before = set(tmp_path.iterdir())
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    found, warnings = read(tmp_path, "readonly")
    assert (len(found), warnings) == (len(ROWS), [])
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("mode", ["readwrite", "refresh"])
def test_a_place_that_cannot_be_written_costs_a_warning_and_not_the_run(tmp_path, mode, monkeypatch) -> None:
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "taken" / FILE).mkdir(parents=True)
    bars, origins = random_bars(200), np.arange(100, 200)
    for place in (tmp_path / "file", tmp_path / "file" / "below", tmp_path / "taken"):
        with SqliteCache(place, mode) as cache:
            assert make_forecasts(MODEL, bars, origins, cache, Clock()).made == 100
            [warning] = cache.warnings
        assert warning.endswith("no new forecasts are saved")
    fill(tmp_path)
    monkeypatch.setattr(os, "access", lambda path, rights: False)
    with SqliteCache(tmp_path, mode) as cache:
        assert "permission denied" in cache.warnings[0]
        assert len(cache.get(IDENTITY, list(ROWS))) == len(ROWS)  # what is there is read


def test_nobody_but_its_owner_reads_the_cache(tmp_path) -> None:
    with SqliteCache(tmp_path) as cache:
        cache.put(MODEL, ROWS, "TEST")
        assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
        assert len(list(tmp_path.iterdir())) == 4  # file, log, its index, lock


def test_files_that_were_moved_aside_are_listed_and_cleared(tmp_path) -> None:
    fill(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as other, other:
        other.execute(f"PRAGMA user_version = {module.SCHEMA + 1}")
        other.commit()
        read(tmp_path)
    files = list(tmp_path.glob("*.aside-*"))
    assert len(files) == 3
    size = sum(path.stat().st_size for path in files)
    with SqliteCache(tmp_path, "readonly") as cache:
        [moved] = cache.info().moved
        assert (moved.bytes, (tmp_path / moved.name).exists()) == (size, True)
        cache.clear()
        assert len(cache.info().moved) == 1
    with SqliteCache(tmp_path) as cache:
        cache.clear()
        assert cache.info().moved == ()
    assert not list(tmp_path.glob("*.aside-*"))


def test_full_disk_costs_a_warning_and_not_the_run(tmp_path) -> None:
    fill(tmp_path)
    bars, origins = random_bars(200), np.arange(100, 200)
    with SqliteCache(tmp_path) as cache:
        assert cache._database
        pages = cache._database.execute("PRAGMA page_count").fetchone()[0]
        cache._database.execute(f"PRAGMA max_page_count = {pages}")
        forecasts = [make_forecasts(MODEL, bars, origins, cache, Clock()) for _ in range(2)]
        [warning] = cache.warnings
    assert "full" in warning
    assert [each.made for each in forecasts] == [100, 100]
    assert len(read(tmp_path)[0]) == len(ROWS)


def test_lasting_lock_costs_a_warning_and_not_the_run(tmp_path, monkeypatch) -> None:
    fill(tmp_path)
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with SqliteCache(tmp_path) as cache:
            assert len(cache.get(IDENTITY, list(ROWS))) == len(ROWS)
            cache.put(MODEL, {b"a": np.ones(1)}, "TEST")
            cache.put(MODEL, {b"b": np.ones(1)}, "TEST")
            [warning] = cache.warnings
    assert "locked" in warning
    assert len(read(tmp_path)[0]) == len(ROWS)


def test_info_names_the_file_and_its_size(tmp_path) -> None:
    fill(tmp_path)
    with SqliteCache(tmp_path) as cache:
        info = cache.info()
    assert (info.place, info.bytes) == (str(tmp_path / FILE), (tmp_path / FILE).stat().st_size)


def test_prune_by_age_and_by_size_takes_the_oldest(tmp_path, monkeypatch) -> None:
    now = time.time()
    with SqliteCache(tmp_path) as cache:
        with monkeypatch.context() as patched:
            for i, (key, row) in enumerate(ROWS.items()):
                patched.setattr(time, "time", lambda i=i: now - i * 86_400 - 100)
                cache.put(MODEL, {key: row}, "TEST")
        assert cache.prune(older_than_days=90) == 10
        whole = cache.info().bytes
        assert cache.prune(keep_bytes=whole) == 0
        pruned = cache.prune(keep_bytes=whole // 2)
        left = cache.get(IDENTITY, list(ROWS))
        assert left.keys() == set(list(ROWS)[: 90 - pruned])
        assert 10 < pruned < 90
        assert cache.info().bytes <= whole // 2
    assert (tmp_path / FILE).stat().st_size <= whole // 2


def test_maintenance_of_a_locked_file_is_an_error(tmp_path, monkeypatch) -> None:
    fill(tmp_path)
    monkeypatch.setattr(module, "TIMEOUT", 0.05)
    with (
        contextlib.closing(sqlite3.connect(tmp_path / FILE, isolation_level=None)) as other,
        SqliteCache(tmp_path) as cache,
    ):
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(MarketsimError, match="locked"):
            cache.clear()


def test_without_a_home_a_run_goes_on_and_keeps_nothing(tmp_path, monkeypatch):
    def homeless(*arguments, **others):
        raise RuntimeError("could not determine the home directory")

    monkeypatch.setattr(platformdirs, "user_cache_dir", homeless)
    monkeypatch.chdir(tmp_path)
    with connect(CacheSettings(), "readwrite") as cache:
        make_forecasts(MODEL, random_bars(60), np.arange(50, 60), cache, Clock())
        assert len(cache.warnings) == 1 and "home directory is not known" in cache.warnings[0]
    assert open_records(CacheSettings(), "readwrite") is None
    assert not list(tmp_path.iterdir())
