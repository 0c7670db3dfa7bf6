"""The cache under everything that may befall a file that several processes share."""

import contextlib
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import platformdirs
import pytest

from marketsim.errors import MarketsimError
from marketsim.forecasting.audit_records import open_records
from marketsim.forecasting.cache import connect
from marketsim.forecasting.cache import sqlite as module
from marketsim.forecasting.cache.sqlite import FILE, SqliteCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.keys import fingerprint
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from marketsim.settings.groups import CacheSettings
from tests.candles import random_bars

MODEL = RollingQuantile()
IDENTITY = fingerprint(MODEL)
ROWS = {bytes([i]) * 20: np.full((4, 9), float(i)) for i in range(100)}
WRITER = """
import sys
from pathlib import Path
import numpy as np
from marketsim.forecasting.cache.sqlite import SqliteCache
from marketsim.models.rolling_quantile import RollingQuantile
directory, worker, batches = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
with SqliteCache(directory) as cache:
    print("ready", flush=True)
    for batch in range(batches):
        # every worker writes its own keys and one that all share
        rows = {bytes([worker, batch % 256, i]) * 4: np.full((4, 9), float(i)) for i in range(50)}
        cache.put(RollingQuantile(), rows | {b"shared": np.ones((4, 9))}, "TEST")
    print(*cache.warnings, flush=True)
"""


def fill(directory: Path) -> None:
    with SqliteCache(directory) as cache:
        cache.put(MODEL, ROWS, "TEST")
        assert not cache.warnings


def read(directory: Path, mode: str = "readwrite") -> tuple[dict[bytes, np.ndarray], list[str]]:
    with SqliteCache(directory, mode) as cache:
        return cache.get(IDENTITY, list(ROWS)), cache.warnings


def edit(directory: Path, sql: str, *values: object) -> None:
    with contextlib.closing(sqlite3.connect(directory / FILE)) as database, database:
        database.execute(sql, values)


def sound(directory: Path) -> bool:
    with contextlib.closing(sqlite3.connect(directory / FILE)) as database:
        return database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def writer(directory: Path, worker: int, batches: int) -> "subprocess.Popen[str]":
    arguments = [sys.executable, "-c", WRITER, str(directory), str(worker), str(batches)]
    return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_stored_values_are_raw_little_endian(tmp_path) -> None:
    fill(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as database:
        query = "SELECT dtype, shape, value FROM forecasts WHERE key = ?"
        dtype, shape, value = database.execute(query, (bytes([7]) * 20,)).fetchone()
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert (dtype, shape, value) == ("<f8", "4,9", np.full(36, 7.0, "<f8").tobytes())


def corrupt(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[:2000] = os.urandom(2000)
    path.write_bytes(content)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:50])


def text(path: Path) -> None:
    path.write_text("not a database\n" * 1000)


def foreign(path: Path) -> None:
    path.unlink()
    edit(path.parent, "CREATE TABLE photographs (name)")


def another_application(path: Path) -> None:
    edit(path.parent, "PRAGMA application_id = 1")


def newer(path: Path) -> None:
    edit(path.parent, f"PRAGMA user_version = {module.SCHEMA + 1}")


def other_tables(path: Path) -> None:
    edit(path.parent, "ALTER TABLE forecasts DROP COLUMN shape")


@pytest.mark.parametrize(
    "damage", [corrupt, truncated, cut_short, text, foreign, another_application, newer, other_tables]
)
def test_unusable_file_is_moved_aside_with_one_warning(tmp_path, damage) -> None:
    fill(tmp_path)
    damage(tmp_path / FILE)
    kept = (tmp_path / FILE).read_bytes()
    with SqliteCache(tmp_path) as cache:
        assert cache.get(IDENTITY, list(ROWS)) == {}
        cache.put(MODEL, ROWS, "TEST")
        assert len(cache.get(IDENTITY, list(ROWS))) == len(ROWS)
        [warning] = cache.warnings
    [aside] = tmp_path.glob("*.aside-*")
    assert aside.name in warning
    assert "\n" not in warning
    assert aside.read_bytes() == kept
    assert read(tmp_path)[1] == []


@pytest.mark.parametrize("damage", [corrupt, newer])
def test_readonly_leaves_an_unusable_file_where_it_is(tmp_path, damage) -> None:
    fill(tmp_path)
    damage(tmp_path / FILE)
    kept = (tmp_path / FILE).read_bytes()
    found, [warning] = read(tmp_path, "readonly")
    assert found == {}
    assert "going on without it" in warning
    assert (tmp_path / FILE).read_bytes() == kept


def test_page_damaged_inside_is_found_when_it_is_read(tmp_path) -> None:
    fill(tmp_path)
    content = bytearray((tmp_path / FILE).read_bytes())
    content[8192:] = b"\xff" * (len(content) - 8192)
    (tmp_path / FILE).write_bytes(content)
    with SqliteCache(tmp_path) as cache:
        assert cache.get(IDENTITY, list(ROWS)) == {}
        cache.put(MODEL, ROWS, "TEST")
        assert len(cache.warnings) == 1
    assert len(read(tmp_path)[0]) == len(ROWS)


def test_log_of_a_moved_file_does_not_poison_the_new_one(tmp_path) -> None:
    fill(tmp_path)
    killed = tmp_path / "killed"
    killed.mkdir()
    with SqliteCache(tmp_path) as cache:
        cache.put(MODEL, {b"late": np.ones(3)}, "TEST")
        for name in (FILE, f"{FILE}-wal"):  # as a killed process leaves them
            shutil.copy(tmp_path / name, killed / name)
    assert (killed / f"{FILE}-wal").stat().st_size
    text(killed / FILE)
    found, warnings = read(killed)
    assert found == {}
    assert len(warnings) == 1
    assert sound(killed)
    fill(killed)
    assert len(read(killed)[0]) == len(ROWS)


def test_log_goes_with_a_file_that_is_in_use(tmp_path) -> None:
    fill(tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as other, other:
        other.execute(f"PRAGMA user_version = {module.SCHEMA + 1}")
        other.commit()
        assert read(tmp_path)[0] == {}
        [log] = tmp_path.glob("*.aside-*-wal")
        assert log.stat().st_size
    assert read(tmp_path) == ({}, [])


def test_file_of_no_bytes_is_an_empty_cache(tmp_path) -> None:
    (tmp_path / FILE).touch()
    fill(tmp_path)
    assert len(read(tmp_path)[0]) == len(ROWS)


@pytest.mark.parametrize(
    "change",
    [
        *(f"value = {bad}" for bad in ("x'00'", "NULL", "'text'", "zeroblob(0)")),
        *(f"shape = {bad}" for bad in ("'4,8'", "'x'", "NULL", "x'ff'", "CAST(x'ff' AS TEXT)")),
        *(f"dtype = {bad}" for bad in ("'<f4'", "'|O'", "NULL")),
    ],
)
def test_unsound_row_is_missing_and_can_be_replaced(tmp_path, change) -> None:
    fill(tmp_path)
    key = bytes([3]) * 20
    edit(tmp_path, f"UPDATE forecasts SET {change} WHERE key = ?", key)
    found, [warning] = read(tmp_path)
    assert found.keys() == ROWS.keys() - {key}
    assert "1 stored forecast is damaged" in warning
    fill(tmp_path)
    np.testing.assert_array_equal(read(tmp_path)[0][key], ROWS[key])


@pytest.mark.parametrize("broken", [False, True])
def test_many_open_a_new_or_broken_file_at_the_same_moment(tmp_path, broken) -> None:
    barrier = threading.Barrier(8)

    def start(directory: Path) -> list[str]:
        barrier.wait(60)
        with SqliteCache(directory) as cache:
            cache.put(MODEL, ROWS, "TEST")
            return cache.warnings

    with ThreadPoolExecutor(8) as pool:
        for attempt in range(20):
            directory = tmp_path / str(attempt)
            directory.mkdir()
            if broken:
                text(directory / FILE)
            warnings = [warning for each in pool.map(start, [directory] * 8) for warning in each]
            assert broken or not warnings
            assert [warning for warning in warnings if "began anew" not in warning] == []
            assert sound(directory)
            assert read(directory)[1] == []


def test_file_that_another_process_has_put_right_is_not_moved(tmp_path, monkeypatch) -> None:
    fill(tmp_path)
    with SqliteCache(tmp_path) as cache:
        (tmp_path / FILE).rename(tmp_path / "moved by another")
        for suffix in module.SIDE_FILES:
            (tmp_path / (FILE + suffix)).unlink()
        fill(tmp_path)
        with monkeypatch.context() as patched:
            patched.setattr(module, "_select", Mock(side_effect=module._NotOurs("damaged")))
            assert cache.get(IDENTITY, list(ROWS)) == {}
        assert len(cache.get(IDENTITY, list(ROWS))) == len(ROWS)
    assert not list(tmp_path.glob("*.aside-*"))


def test_several_processes_create_and_write_at_once(tmp_path) -> None:
    workers = [writer(tmp_path, worker, 20) for worker in range(4)]
    for worker in workers:
        out, err = worker.communicate(timeout=60)
        assert (worker.returncode, out.split(), err) == (0, ["ready"], "")
    with SqliteCache(tmp_path) as cache:
        assert cache.info().forecasts == 4 * 20 * 50 + 1
    assert sound(tmp_path)
    assert not list(tmp_path.glob("*.aside-*"))


def test_several_processes_replace_a_corrupt_file_at_once(tmp_path) -> None:
    text(tmp_path / FILE)
    workers = [writer(tmp_path, worker, 5) for worker in range(4)]
    for worker in workers:
        _, err = worker.communicate(timeout=60)
        assert (worker.returncode, err) == (0, "")
    assert sound(tmp_path)
    assert read(tmp_path)[1] == []


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
        assert warning.endswith("nothing new is kept in it")
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
