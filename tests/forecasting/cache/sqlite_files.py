"""Files of SQLite with a few forecasts in them, and processes that write there."""

import contextlib
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np

from marketsim.forecasting.cache.sqlite import FILE, SqliteCache
from marketsim.forecasting.keys import fingerprint
from marketsim.models.rolling_quantile import RollingQuantile

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
