"""The cache in one SQLite file: a damaged, foreign or newer file is moved aside and a new one begun.

A full disk or a lasting lock ends its use, with one warning.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from marketsim.errors import MarketsimError, UsageError
from marketsim.forecasting.cache import COLUMNS, ForecastCache

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
SELECT = f"SELECT {COLUMNS} FROM forecasts"
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)  # the last: other tables
TIMEOUT = 5.0  # seconds to wait for another process's lock
CHUNK = 500  # keys a query: SQLite before 3.32 takes 999 parameters
T = TypeVar("T")


class _NotOurs(sqlite3.DatabaseError):
    """A sound database, but not a cache of this schema."""

    sqlite_errorcode = sqlite3.SQLITE_NOTADB


class SqliteCache(ForecastCache):
    """The forecasts in the file of `directory`.

    UsageError where the directory cannot be made or written to.
    """

    remedy = "try again, or delete the file"

    def __init__(self, directory: Path, mode: str = "readwrite") -> None:
        self.path = Path(directory) / FILE
        super().__init__(str(self.path), mode)
        self._database: sqlite3.Connection | None = None
        if mode != "readonly":
            _require_writable(self.path)
        elif not self.path.exists():
            return
        self._open()

    @property
    def usable(self) -> bool:
        """Whether there is a file to read."""
        return self._database is not None

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def _read(self, model: str, keys: Sequence[bytes]) -> list[tuple[Any, ...]]:
        return self._guarded(lambda database: list(_select(database, model, keys))) or []

    def _write(self, model: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("INSERT OR IGNORE INTO models VALUES (?, ?, ?, ?)", model)
                database.executemany("INSERT OR REPLACE INTO forecasts VALUES (?, ?, ?, ?, ?, ?, ?)", rows)

        self._guarded(write)

    def _size(self) -> int:
        """Bytes of the file once its log is written back."""
        sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return int(self._query(sql)[0][0])

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        assert self._database is not None
        try:
            return self._database.execute(sql).fetchall()
        except sqlite3.Error as error:
            raise MarketsimError(f"forecast cache {self.place}: {error}; {self.remedy}") from error

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


def _select(database: sqlite3.Connection, model: str, keys: Sequence[bytes]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        marks = ",".join("?" * len(part))
        yield from database.execute(f"{SELECT} WHERE model = ? AND key IN ({marks})", (model, *part))


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
