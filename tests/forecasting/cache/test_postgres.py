"""The cache on a real server, under everything that may befall a database that machines share."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from marketsim.backtesting import pipeline
from marketsim.errors import MarketsimError, MissingExtra, UsageError
from marketsim.forecasting.cache.sqlite import FILE, SqliteCache
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.protocols import Identity
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from marketsim.results.document import backtest_document
from marketsim.settings.groups import CacheSettings
from marketsim.settings.settings import Settings
from tests.postgres import PASSWORD, Server

pytest.importorskip("psycopg", reason="the extra 'cluster' is not installed")

import psycopg

from marketsim.forecasting.cache import postgres as module
from marketsim.forecasting.cache.postgres import SCHEMA, PostgresCache

MODEL = RollingQuantile()
IDENTITY = fingerprint(MODEL)
ROWS = {bytes([i]) * 20: np.full((4, 9), float(i)) for i in range(100)}
WRITER = """
import os, sys
import numpy as np
from marketsim.forecasting.cache.postgres import PostgresCache
from marketsim.models.rolling_quantile import RollingQuantile
worker = int(sys.argv[1])
with PostgresCache(os.environ["MARKETSIM_CACHE_URL"]) as cache:
    for batch in range(20):
        # every worker writes its own keys and, each in an order of its own, those that all share
        shared = {bytes([i]) * 20: np.full((4, 9), float(i)) for i in np.random.default_rng(worker).permutation(100)}
        cache.put(RollingQuantile(), shared | {bytes([worker, batch]): np.ones((4, 9))}, "TEST")
    print(*cache.warnings, flush=True)
"""


def fill(server: Server) -> None:
    with PostgresCache(server.url) as cache:
        cache.put(MODEL, ROWS, "TEST")
        assert not cache.warnings


def read(server: Server, mode: str = "readwrite") -> tuple[dict[bytes, Any], list[str]]:
    with PostgresCache(server.url, mode) as cache:
        return cache.get(IDENTITY, list(ROWS)), cache.warnings


def test_keys_and_bytes_are_those_of_the_file(postgres, tmp_path) -> None:
    rows = ROWS | {b"odd": np.array([[0.1, -0.0, np.nan, 5e-324]])}
    for cache in (PostgresCache(postgres.url), SqliteCache(tmp_path)):
        with cache:
            cache.put(MODEL, rows, "TEST")
    columns = "model, key, symbol, dtype, shape, value"  # not the second it was made in, nor the digest of that
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as file:
        for table, what in (("forecasts", columns), ("models", "*")):
            kept = postgres.execute(f"SELECT {what} FROM {SCHEMA}.{table}")
            assert sorted(kept) == sorted(file.execute(f"SELECT {what} FROM {table}"))


def test_several_processes_create_and_write_the_same_keys_at_once(postgres) -> None:
    environment = os.environ | {"MARKETSIM_CACHE_URL": postgres.url, "OMP_NUM_THREADS": "1"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, str(worker)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for worker in range(3)
    ]
    for worker in workers:
        out, err = worker.communicate(timeout=60)
        assert (worker.returncode, out, err) == (0, "\n", "")
    found, _ = read(postgres)
    assert all((found[key] == row).all() for key, row in ROWS.items())
    assert postgres.execute(f"SELECT count(*) FROM {SCHEMA}.forecasts") == [(100 + 3 * 20,)]


SYMBOLS = ["ETHUSD", "NVDA", "TSLA"]


def settings_of(server: Server, **changes: Any) -> Settings:
    return Settings.of(**{"sims": 3, "window": 10, "cache_url": server.url} | changes)


def test_a_run_reads_what_another_wrote(postgres) -> None:
    counts = []
    for _ in range(2):
        clock = Clock()
        pipeline.run(SYMBOLS[:2], settings_of(postgres), clock)
        counts.append((clock.counts["forecasts made"], clock.counts["forecasts reused"]))
    assert counts == [(28, 0), (0, 28)]


@pytest.mark.parametrize("manner", ["fast", "immediate"])
def test_a_database_that_goes_away_costs_one_warning_and_no_result(postgres, manner, monkeypatch) -> None:
    keep = PostgresCache.put

    def put(cache: PostgresCache, model: Identity, rows: dict[bytes, Any], symbol: str) -> None:
        keep(cache, model, rows, symbol)
        postgres.stop(manner)

    settings = settings_of(postgres)
    with monkeypatch.context() as patched:
        patched.setattr(PostgresCache, "put", put)
        runs = pipeline.run(SYMBOLS, settings, Clock())
    alone = pipeline.run(SYMBOLS, settings_of(postgres, cache="off"), Clock())
    assert backtest_document(runs, settings) == backtest_document(alone, settings)
    [note] = [note for run in runs for note in run.notes if "cache" in note]
    assert note.endswith("continuing without it")
    assert PASSWORD not in note
    postgres.start()
    if manner == "fast":
        assert postgres.execute(f"SELECT DISTINCT symbol FROM {SCHEMA}.forecasts") == [(SYMBOLS[0],)]


def test_a_server_that_keeps_silent_is_left(postgres, monkeypatch) -> None:
    fill(postgres)
    monkeypatch.setattr(module, "PATIENCE", 0.2)
    with PostgresCache(postgres.url) as cache:
        assert cache._database
        process = cache._database.info.backend_pid
        os.kill(process, signal.SIGSTOP)
        try:
            assert cache.get(IDENTITY, list(ROWS)) == {}
            cache.put(MODEL, ROWS, "TEST")
        finally:
            os.kill(process, signal.SIGCONT)
        [warning] = cache.warnings
    assert "continuing without it" in warning


@pytest.mark.parametrize("way", ["away", "mute", "password", "database"])
def test_a_database_that_cannot_be_reached_costs_one_warning(postgres, way, monkeypatch) -> None:
    monkeypatch.setattr(module, "TIMEOUT", 2)
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        if way == "mute":
            mute.listen()
        port = mute.getsockname()[1]
        elsewhere = postgres.url.replace(f":{postgres.port}/", f":{port}/")
        url = {
            "password": postgres.url_of("trader", "wr@ng"),
            "database": postgres.url_of("trader", PASSWORD, "absent"),
        }.get(way, elsewhere)
        with PostgresCache(url) as cache:
            assert not cache.usable
            assert cache.get(IDENTITY, list(ROWS)) == {}
            cache.put(MODEL, ROWS, "TEST")
            [warning] = cache.warnings
    assert "\n" not in warning
    assert "continuing without it" in warning
    assert not any(word in warning for word in (PASSWORD, "wr@ng", "s3cr", "%40"))


FOREIGN = [
    "CREATE TABLE marketsim_2.forecasts (name text)",
    "CREATE TABLE marketsim_2.forecasts (model text, key text, dtype text, shape text, value bytea)",
    "CREATE VIEW marketsim_2.forecasts AS SELECT 1 AS one",
]


@pytest.mark.parametrize("mode", ["readwrite", "readonly", "refresh"])
@pytest.mark.parametrize("statement", FOREIGN)
def test_foreign_tables_are_left_alone(postgres, statement, mode) -> None:
    postgres.execute("CREATE SCHEMA marketsim_2")
    postgres.execute(statement)
    with PostgresCache(postgres.url, mode) as cache:
        cache.put(MODEL, ROWS, "TEST")
        assert (cache.get(IDENTITY, list(ROWS)), cache.clear(), cache.usable) == ({}, 0, False)
        [warning] = cache.warnings
    assert "left alone" in warning
    tables = "SELECT relname FROM pg_class WHERE relnamespace = 'marketsim_2'::regnamespace AND relkind IN ('r', 'v')"
    assert postgres.execute(tables) == [("forecasts",)]


def test_other_versions_and_other_tables_live_beside(postgres) -> None:
    postgres.execute("DROP TABLE IF EXISTS forecasts; DROP SCHEMA IF EXISTS marketsim_3 CASCADE")
    postgres.execute("CREATE TABLE forecasts AS SELECT 7 AS mine; CREATE SCHEMA marketsim_3")
    fill(postgres)
    with PostgresCache(postgres.url) as cache:
        assert cache.clear() == len(ROWS)
        assert cache.warnings == []
    assert postgres.execute("SELECT mine FROM forecasts") == [(7,)]
    assert postgres.execute("SELECT to_regnamespace('marketsim_3') IS NOT NULL") == [(True,)]


def test_readonly_needs_no_more_than_to_read(postgres) -> None:
    with PostgresCache(postgres.url, "readonly") as cache:
        assert (cache.usable, cache.info().forecasts, cache.warnings) == (False, 0, [])
    assert postgres.execute("SELECT to_regnamespace('marketsim_2')") == [(None,)]
    fill(postgres)
    with reader(postgres) as url:
        with PostgresCache(url, "readonly") as cache:
            cache.put(MODEL, {b"new": np.ones(1)}, "TEST")
            assert len(cache.get(IDENTITY, [*ROWS, b"new"])) == len(ROWS)
            assert (cache.prune(keep_bytes=0), cache.warnings) == (0, [])
        with PostgresCache(url) as cache:  # who may not write still reads, before and after
            for _ in range(2):
                assert len(cache.get(IDENTITY, list(ROWS))) == len(ROWS)
                cache.put(MODEL, ROWS, "TEST")
            [warning] = cache.warnings
            assert "permission denied" in warning


@contextlib.contextmanager
def reader(server: Server) -> Iterator[str]:
    server.execute(
        "CREATE ROLE reader LOGIN PASSWORD 'r';"
        "GRANT USAGE ON SCHEMA marketsim_2 TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA marketsim_2 TO reader"
    )
    try:
        yield server.url_of("reader", "r")
    finally:
        server.execute("DROP OWNED BY reader; DROP ROLE reader")


def test_a_lasting_lock_costs_a_warning_and_maintenance_says_so(postgres, monkeypatch) -> None:
    fill(postgres)
    monkeypatch.setattr(module, "TIMEOUT", 1)
    with psycopg.connect(postgres.url) as other:
        other.execute(f"LOCK TABLE {SCHEMA}.forecasts IN EXCLUSIVE MODE")
        with PostgresCache(postgres.url) as cache:
            with pytest.raises(MarketsimError, match="lock timeout; try again"):
                cache.clear()
            cache.put(MODEL, ROWS, "TEST")
            cache.put(MODEL, ROWS, "TEST")
            [warning] = cache.warnings
    assert "lock timeout" in warning
    assert len(read(postgres)[0]) == len(ROWS)


def test_many_open_a_new_database_at_the_same_moment(postgres) -> None:
    barrier = threading.Barrier(6)
    warnings: list[str] = []

    def start() -> None:
        barrier.wait(60)
        with PostgresCache(postgres.url) as cache:
            cache.put(MODEL, ROWS, "TEST")
            warnings.extend(cache.warnings)

    for _ in range(5):
        postgres.execute("DROP SCHEMA IF EXISTS marketsim_2 CASCADE")
        threads = [threading.Thread(target=start) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert warnings == []


def test_prune_takes_the_oldest(postgres, monkeypatch) -> None:
    now = time.time()
    with PostgresCache(postgres.url) as cache:
        with monkeypatch.context() as patched:
            for i, (key, row) in enumerate(ROWS.items()):
                patched.setattr(time, "time", lambda i=i: now - i * 86_400 - 100)
                cache.put(MODEL, {key: row}, "TEST")
        assert cache.prune(older_than_days=90) == 10
        whole = cache.info().bytes
        assert cache.prune(keep_bytes=whole) == 0
        assert cache.prune(keep_bytes=whole // 2) == 45
        assert cache.get(IDENTITY, list(ROWS)).keys() == set(list(ROWS)[:45])


def test_parameters_that_the_client_does_not_know_are_a_usage_error_that_quotes_nothing() -> None:
    with pytest.raises(UsageError) as caught:
        PostgresCache("postgresql://u:hidden@127.0.0.1:1/db?hidden")
    assert "--cache-url" in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_without_the_client_the_extra_is_named(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    monkeypatch.delitem(sys.modules, "marketsim.forecasting.cache.postgres", raising=False)
    with pytest.raises(MissingExtra, match="'cluster'"):
        pipeline.open_cache("readwrite", CacheSettings(cache_url="postgresql://localhost/db"))
