"""A cache file that is damaged, cut short, locked by others or of another program."""

import contextlib
import os
import shutil
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from marketsim.forecasting.cache import sqlite as module
from marketsim.forecasting.cache.sqlite import FILE, SqliteCache
from tests.forecasting.cache.sqlite_files import IDENTITY, MODEL, ROWS, edit, fill, read, sound, writer


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
    assert "continuing without it" in warning
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
            assert [warning for warning in warnings if "a new one was started" not in warning] == []
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
