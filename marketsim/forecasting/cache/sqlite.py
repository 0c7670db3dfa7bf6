"""The cache in one SQLite file: a damaged, foreign or newer file is moved aside and replaced by an empty one.

A full disk, a lasting lock or a place that cannot be written ends its use, with one warning.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from marketsim.errors import MarketsimError
from marketsim.forecasting.cache import NO_HOME
from marketsim.forecasting.cache.forecast_cache import ForecastCache, MovedFile
from marketsim.forecasting.cache.row import COLUMNS, Row

FILE = "forecasts.sqlite"
SIDE_FILES = ("-wal", "-shm")
MOVED = ".aside-"  # follows the name of a file that was moved aside
APPLICATION_ID = 0x6D6B7473  # "mkts"
SCHEMA = 2
CREATE = (
    """CREATE TABLE models (
        fingerprint TEXT PRIMARY KEY, name TEXT, version TEXT, parameters TEXT
    ) WITHOUT ROWID""",
    """CREATE TABLE forecasts (
        model TEXT, key BLOB, symbol TEXT, made INTEGER, dtype TEXT, shape TEXT, value BLOB, digest BLOB,
        PRIMARY KEY (model, key)
    ) WITHOUT ROWID""",
    f"PRAGMA application_id = {APPLICATION_ID}",
    f"PRAGMA user_version = {SCHEMA}",
)
SELECT = f"SELECT {COLUMNS} FROM forecasts"
INSERT = f"INSERT OR REPLACE INTO forecasts ({COLUMNS}) VALUES ({', '.join('?' * len(Row._fields))})"
DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)  # the last: other tables
TIMEOUT = 5.0  # seconds to wait for another process's lock
CHUNK = 500  # keys a query: SQLite before 3.32 takes 999 parameters
T = TypeVar("T")


class _NotOurs(sqlite3.DatabaseError):
    """Not a cache of this schema, or one whose own words are damaged."""

    sqlite_errorcode = sqlite3.SQLITE_NOTADB


class SqliteCache(ForecastCache):
    """The forecasts in the file of `directory`, which its owner alone may read.

    Where nothing can be written, what is there is read; that costs one warning.
    """

    remedy = "try again, or delete the file"

    def __init__(self, directory: Path, mode: str = "readwrite") -> None:
        self.path = Path(directory) / FILE
        super().__init__(str(self.path), mode)
        self._database: sqlite3.Connection | None = None
        if mode != "readonly" and (reason := _unwritable(self.path)):
            self._only_read(reason)
            self.remedy = "name another folder with --cache-dir"
        if self.mode != "readonly" or self.path.is_file():
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

    def scan(self) -> Iterator[Row]:
        """Every row; MarketsimError where the file's structure is damaged."""
        if self._database is None:
            return
        with self._telling():
            if self._database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise _NotOurs("it is damaged")
            yield from map(Row._make, self._database.execute(SELECT))

    def moved(self) -> tuple[MovedFile, ...]:
        """The files that were moved aside, oldest first."""
        files = (path for path in self._aside() if not path.name.endswith(SIDE_FILES))
        return tuple(
            MovedFile(path.name, sum(_beside(path, suffix).stat().st_size for suffix in _parts(path)))
            for path in sorted(files)
        )

    def clear(self) -> int:
        """Delete every forecast and what was moved aside, and give the space back; returns how many forecasts."""
        cleared = super().clear()
        if self.mode != "readonly":
            for path in self._aside():
                path.unlink(missing_ok=True)
        return cleared

    def _aside(self) -> list[Path]:
        return list(self.path.parent.glob(f"{FILE}{MOVED}*"))

    def _read(self, model: str, keys: Sequence[bytes]) -> list[Row]:
        return self._guarded(lambda database: list(_select(database, model, keys))) or []

    def _write(self, model: tuple[str, ...], rows: Sequence[Row]) -> None:
        def write(database: sqlite3.Connection) -> None:
            with database:
                database.execute("BEGIN IMMEDIATE")
                database.execute("INSERT OR IGNORE INTO models VALUES (?, ?, ?, ?)", model)
                database.executemany(INSERT, rows)

        self._guarded(write, writes=True)

    def _size(self) -> int:
        """Bytes of the file once its log is written back."""
        sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size"
        return int(self._query(sql)[0][0])

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        assert self._database is not None
        with self._telling():
            return self._database.execute(sql).fetchall()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what SQLite raises into a MarketsimError."""
        try:
            with _in_words():
                yield
        except sqlite3.Error as error:
            raise MarketsimError(f"forecast cache {self.place}: {error}; {self.remedy}") from error

    def _guarded(self, action: Callable[[sqlite3.Connection], T], writes: bool = False) -> T | None:
        """`action` on the database; None where there is none, or where it failed, with a warning."""
        if self._database is None:
            return None
        try:
            with _in_words():
                return action(self._database)
        except sqlite3.Error as error:
            if self._replaceable(error):
                self.close()
                self._open(suspect=True)
            elif writes:
                self._only_read(error)
            else:
                self.close()
                self._warn(f"{error}; continuing without it")
            return None

    def _only_read(self, reason: object) -> None:
        self._warn(f"{reason}; no new forecasts are saved")
        self.mode = "readonly"

    def _open(self, suspect: bool = False) -> None:
        """Open the file, or a new one in place of what is damaged; a suspect file is read through before."""
        try:
            with nullcontext() if self.mode == "readonly" else self._alone():
                try:
                    self._database = self._connect(suspect)
                except sqlite3.Error as error:
                    if not self._replaceable(error):
                        raise
                    name = self._move_aside()
                    self._database = self._connect()
                    self._warn(f"{error}; moved to {name}; a new one was started")
        except (OSError, sqlite3.Error) as error:
            self._warn(f"{error}; continuing without it")

    def _move_aside(self) -> str:
        """Rename the file and its log, and tell the new name; the log goes first: a new file would replay it."""
        aside = self.path.with_name(f"{FILE}{MOVED}{time.time_ns()}")
        for suffix in (*SIDE_FILES, ""):
            if _beside(self.path, suffix).exists():
                _beside(self.path, suffix).replace(_beside(aside, suffix))
        return aside.name

    def _connect(self, suspect: bool = False) -> sqlite3.Connection:
        access = "?mode=rwc"
        if self.mode == "readonly":
            # reading makes a side file, which a read-only place refuses, unless the file is called immutable
            alone = not os.access(self.path.parent, os.W_OK) and not _beside(self.path, "-wal").exists()
            access = "?mode=ro&immutable=1" if alone else "?mode=ro"
        else:
            _create_private(self.path)
        uri = self.path.absolute().as_uri() + access
        database = sqlite3.connect(uri, uri=True, timeout=TIMEOUT, isolation_level=None)
        try:
            database.text_factory = lambda text: text.decode(errors="replace")
            with _in_words():
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
        path = self.path.with_suffix(".lock")
        _create_private(path)
        lock = sqlite3.connect(path, timeout=TIMEOUT, isolation_level=None)
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


def _select(database: sqlite3.Connection, model: str, keys: Sequence[bytes]) -> Iterator[Row]:
    for start in range(0, len(keys), CHUNK):
        part = keys[start : start + CHUNK]
        marks = ",".join("?" * len(part))
        found = database.execute(f"{SELECT} WHERE model = ? AND key IN ({marks})", (model, *part))
        yield from map(Row._make, found)


@contextmanager
def _in_words() -> Iterator[None]:
    """Turn what Python raises over an error message that is no text into an error of SQLite's own kind.

    The message quotes the file's schema, whose bytes may be damaged.
    """
    try:
        yield
    except UnicodeDecodeError:
        raise _NotOurs("its schema is damaged") from None


def _create_private(path: Path) -> None:
    """Make an empty file that nobody but its owner can read, where there is none; its log gets the same rights."""
    if not path.exists():
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))


def _unwritable(path: Path) -> str | None:
    """Make the directory of `path`; why nothing can be written there, or None."""
    if path.parts[:1] == (NO_HOME,):
        return "the user's home directory is not known"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        return f"{path.parent} is not a folder"
    except OSError as error:
        return f"{path.parent} cannot be created ({(error.strerror or str(error)).lower()})"
    if not os.access(path.parent, os.W_OK):
        return f"{path.parent} cannot be written (permission denied)"
    return f"{path} is a folder" if path.is_dir() else None


def _code(error: Exception) -> int:
    """SQLite's primary result code, 0 where the error is not its own."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _parts(path: Path) -> list[str]:
    """The suffixes of a file and its log that are there."""
    return [suffix for suffix in ("", *SIDE_FILES) if _beside(path, suffix).exists()]


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)
