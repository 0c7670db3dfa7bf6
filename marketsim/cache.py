"""The forecast cache: one SQLite file that several processes read and write at once.

A row is one forecast: the model's fingerprint, a digest of the bars that it saw, and the numbers as raw
little-endian float64 with their shape and dtype. A cache that fails costs time, never a run: a damaged,
foreign or newer file is moved aside, and a full disk or a lasting lock ends its use, with one warning each.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from marketsim.bars import Bars
from marketsim.errors import MarketsimError, UsageError
from marketsim.forecasts import Identity, Model, fingerprint, repair
from marketsim.profiling import Clock
from marketsim.sweep import keys_of, make_forecasts

FILE = "forecasts.sqlite"
SIDE_FILES = ("-wal", "-shm")
APPLICATION_ID = 0x6D6B7473  # "mkts"
SCHEMA = 1
CREATE = (
    """CREATE TABLE models (
        fingerprint TEXT PRIMARY KEY, name TEXT, version TEXT, parameters TEXT
    ) WITHOUT ROWID""",
    """CREATE TABLE forecasts (
        model TEXT, key BLOB, symbol TEXT, made INTEGER, dtype TEXT, shape TEXT, value BLOB,
        PRIMARY KEY (model, key)
    ) WITHOUT ROWID""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA}",
)
SELECT = "SELECT key, dtype, shape, value FROM forecasts"
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)  # the last: other tables
TIMEOUT = 5.0  # seconds to wait for another process's lock
CHUNK = 500  # keys a query: SQLite before 3.32 takes 999 parameters
DTYPE = "<f8"
TOLERANCE = 1e-6  # of moves: what batching and threads may change in a neural model
T = TypeVar("T")


class _NotOurs(sqlite3.DatabaseError):
    """A sound database, but not a cache of this schema."""

    sqlite_errorcode = sqlite3.SQLITE_NOTADB


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds; times are unix seconds, None where it holds nothing."""

    path: Path
    bytes: int
    rows: int
    oldest: int | None
    newest: int | None
    models: tuple[tuple[str, str, str, int], ...]  # name, version, fingerprint, rows
    symbols: tuple[tuple[str, int], ...]  # symbol, rows


@dataclass(frozen=True, slots=True)
class Verification:
    """How many cached forecasts were made again, and at which origins (bar indices) they differed."""

    cached: int
    checked: int
    different: tuple[int, ...]


class ForecastCache:
    """The forecasts in `directory`; `mode` is readwrite, readonly (never writes) or refresh (never reads).

    UsageError where the directory cannot be made or written to; `warnings` collects what goes wrong later.
    """

    def __init__(self, directory: Path, mode: str = "readwrite") -> None:
        self.path = Path(directory) / FILE
        self.mode = mode
        self.warnings: list[str] = []
        self._database: sqlite3.Connection | None = None
        if mode != "readonly":
            _require_writable(self.path)
        elif not self.path.exists():
            return
        self._open()

    def __enter__(self) -> ForecastCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def usable(self) -> bool:
        """Whether there is a file to read."""
        return self._database is not None

    def close(self) -> None:
        """Close the file; a closed cache holds nothing and keeps nothing."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """The sound rows among `keys`; a row whose bytes do not match its shape is as good as missing."""
        if self.mode == "refresh":
            return {}
        return self._guarded(lambda database: dict(_read(database, model_fingerprint, keys))) or {}

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep `rows` in one transaction, over what was there under their keys."""
        if self.mode == "readonly":
            return
        identity, now = fingerprint(model), int(time.time())
        described = (identity, model.name, model.version, json.dumps(dict(model.parameters), sort_keys=True))
        values = [
            (identity, key, symbol, now, DTYPE, ",".join(map(str, row.shape)), row.astype(DTYPE).tobytes())
            for key, row in rows.items()
        ]

        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("INSERT OR IGNORE INTO models VALUES (?, ?, ?, ?)", described)
                database.executemany("INSERT OR REPLACE INTO forecasts VALUES (?, ?, ?, ?, ?, ?, ?)", values)

        self._guarded(write)

    def info(self) -> CacheInfo:
        """Size, age and contents; MarketsimError where the file cannot be read."""
        if self._database is None:
            return CacheInfo(self.path, 0, 0, None, None, (), ())
        [(rows, oldest, newest)] = self._query("SELECT count(*), min(made), max(made) FROM forecasts")
        models = self._query(
            "SELECT name, version, model, count(*) FROM forecasts LEFT JOIN models ON model = fingerprint "
            "GROUP BY model ORDER BY name, version, model"
        )
        symbols = self._query("SELECT symbol, count(*) FROM forecasts GROUP BY symbol ORDER BY symbol")
        return CacheInfo(self.path, self._size(), rows, oldest, newest, tuple(models), tuple(symbols))

    def clear(self) -> int:
        """Delete every forecast and give the space back; returns how many there were."""
        return self.prune(keep_bytes=0)

    def prune(self, older_than_days: float | None = None, keep_bytes: int | None = None) -> int:
        """Delete what is older, then the oldest until the file is no larger; returns how many forecasts.

        MarketsimError where another process holds the file.
        """
        if self._database is None or self.mode == "readonly":
            return 0
        before = self._count()
        if older_than_days is not None:
            self._delete("made < ?", int(time.time() - older_than_days * 86_400))
        while keep_bytes is not None and (rows := self._count()) and (size := self._size()) > keep_bytes:
            surplus = max(1, round(rows * (1 - keep_bytes / size)))
            self._delete("(model, key) IN (SELECT model, key FROM forecasts ORDER BY made LIMIT ?)", surplus)
        return before - self._count()

    def _delete(self, which: str, value: int) -> None:
        self._query(f"DELETE FROM forecasts WHERE {which}", value)
        self._query("VACUUM")

    def _count(self) -> int:
        return int(self._query("SELECT count(*) FROM forecasts")[0][0])

    def _size(self) -> int:
        """Bytes of the file once its log is written back."""
        sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return int(self._query(sql)[0][0])

    def _query(self, sql: str, *values: int) -> list[tuple[Any, ...]]:
        """The rows of a maintenance statement, whose failure the user must see."""
        assert self._database is not None
        try:
            return self._database.execute(sql, values).fetchall()
        except sqlite3.Error as error:
            raise MarketsimError(f"forecast cache {self.path}: {error}; try again or delete it") from error

    def _guarded(self, action: Callable[[sqlite3.Connection], T]) -> T | None:
        """`action` on the database; None where there is none, or where it failed, with a warning."""
        if self._database is None:
            return None
        try:
            return action(self._database)
        except sqlite3.Error as error:
            self.close()
            if self._replaceable(error):
                self._open(suspect=True)
            else:
                self._warn(f"{error}; going on without it")
            return None

    def _open(self, suspect: bool = False) -> None:
        """Open the file, or a new one in place of what is damaged; a suspect file is read through before."""
        try:
            with nullcontext() if self.mode == "readonly" else self._alone():
                try:
                    self._database = self._connect(suspect)
                except sqlite3.Error as error:
                    if not self._replaceable(error):
                        raise
                    aside = self.path.with_name(f"{FILE}.aside-{time.time_ns()}")
                    # the log goes first: one that is left beside a new file would be replayed into it
                    for suffix in (*SIDE_FILES, ""):
                        if _beside(self.path, suffix).exists():
                            _beside(self.path, suffix).replace(_beside(aside, suffix))
                    self._database = self._connect()
                    self._warn(f"{error}; moved to {aside.name}, began anew")
        except (OSError, sqlite3.Error) as error:
            refused = _code(error) in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)
            if refused and self.mode != "readonly" and not suspect:
                raise _unwritable(self.path, error) from error
            self._warn(f"{error}; going on without it")

    def _connect(self, suspect: bool = False) -> sqlite3.Connection:
        access = "?mode=rwc"
        if self.mode == "readonly":
            # reading makes a side file, which a read-only place refuses, unless the file is called immutable
            alone = not os.access(self.path.parent, os.W_OK) and not _beside(self.path, "-wal").exists()
            access = "?mode=ro&immutable=1" if alone else "?mode=ro"
        uri = self.path.absolute().as_uri() + access
        database = sqlite3.connect(uri, uri=True, timeout=TIMEOUT, isolation_level=None)
        try:
            database.text_factory = lambda text: text.decode(errors="replace")
            database.execute("PRAGMA synchronous = OFF")  # a power cut may cost the cache, which is then begun anew
            _prepare(database, create=self.mode != "readonly")
            if suspect and database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise _NotOurs("it is damaged")
        except BaseException:
            database.close()
            raise
        return database

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """No other process opens, makes or moves the file meanwhile; a killed one lets go of the lock."""
        lock = sqlite3.connect(self.path.with_suffix(".lock"), timeout=TIMEOUT, isolation_level=None)
        with closing(lock):
            lock.execute("BEGIN EXCLUSIVE")
            yield

    def _replaceable(self, error: sqlite3.Error) -> bool:
        return self.mode != "readonly" and _code(error) in DAMAGED

    def _warn(self, what: str) -> None:
        self.warnings.append(f"forecast cache {self.path}: {what}")


def default_directory() -> Path:
    """The platform's cache directory."""
    import platformdirs  # not needed where the user names a directory

    return Path(platformdirs.user_cache_dir("marketsim", appauthor=False))


def verify(cache: ForecastCache, model: Model, bars: Bars, sample: int = 20) -> Verification:
    """Make up to `sample` of the cached forecasts of `bars` again, evenly spread, and compare."""
    origins = np.arange(model.minimum_bars - 1, len(bars))
    keys = keys_of(model, bars, origins)
    found = cache.get(fingerprint(model), keys)
    held = np.flatnonzero([key in found for key in keys])
    chosen = held[np.linspace(0, len(held) - 1, min(sample, len(held))).astype(np.int64)]
    different = []
    if len(chosen):
        again = make_forecasts(model, bars, origins[chosen], None, Clock()).moves
        for i, row in zip(chosen, again, strict=True):
            kept = found[keys[i]]
            if kept.shape != row.shape or not np.allclose(repair(kept[None])[0][0], row, rtol=0, atol=TOLERANCE):
                different.append(int(origins[i]))
    return Verification(len(held), len(chosen), tuple(different))


def _prepare(database: sqlite3.Connection, create: bool) -> None:
    """Make the tables in an empty file; sqlite3.Error, its code among DAMAGED, where the file is not ours."""
    look = ("PRAGMA application_id", "PRAGMA user_version", "SELECT count(*) FROM sqlite_master")
    application, version, tables = (database.execute(sql).fetchone()[0] for sql in look)
    if create and (application, version, tables) == (0, 0, 0):
        database.execute("PRAGMA journal_mode = WAL")
        with database:
            database.execute("BEGIN IMMEDIATE")
            for statement in CREATE:
                database.execute(statement)
    elif application != APPLICATION_ID:
        raise _NotOurs("it is not a forecast cache")
    elif version != SCHEMA:
        raise _NotOurs(f"it has schema {version}, not {SCHEMA}")
    database.execute(f"{SELECT} LIMIT 0")


def _read(
    database: sqlite3.Connection, model: str, keys: Sequence[bytes]
) -> Iterator[tuple[bytes, NDArray[np.float64]]]:
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        marks = ",".join("?" * len(part))
        query = f"{SELECT} WHERE model = ? AND key IN ({marks})"
        for key, dtype, shape, value in database.execute(query, (model, *part)):
            try:
                row = np.frombuffer(value, DTYPE).reshape([int(n) for n in shape.split(",")])
            except (AttributeError, TypeError, ValueError):
                continue
            if dtype == DTYPE:
                yield key, row.astype(np.float64)


def _require_writable(path: Path) -> None:
    """Make the directory of `path`; UsageError where that, or writing there, is refused."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(path, error.strerror) from error
    if not os.access(path.parent, os.W_OK):
        raise _unwritable(path, "permission denied")


def _unwritable(path: Path, reason: object) -> UsageError:
    return UsageError(
        f"the forecast cache cannot be written in {path.parent} ({reason}): "
        "name another place with --cache-dir, or use --cache off"
    )


def _code(error: Exception) -> int:
    """SQLite's primary result code, 0 where the error is not its own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
