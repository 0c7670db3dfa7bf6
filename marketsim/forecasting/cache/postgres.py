"""The cache in a PostgreSQL database that many machines share.

It keeps to a schema of its own, named after the version of its tables: other versions and other people's tables
may live beside it, and nothing outside it is ever touched. A database that is away, refuses or keeps silent ends
the use of the cache, with one warning.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import psycopg

from marketsim.errors import MarketsimError, UsageError
from marketsim.forecasting.cache.forecast_cache import ForecastCache
from marketsim.forecasting.cache.row import COLUMNS, Row
from marketsim.settings.database_url import without_password

SCHEMA = "marketsim_2"
LOCK = 0x6D6B7473  # "mkts": of the advisory lock under which the tables are made
CREATE = (
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.models (
        fingerprint text PRIMARY KEY, name text, version text, parameters text
    )""",
    f"""CREATE TABLE IF NOT EXISTS {SCHEMA}.forecasts (
        model text, key bytea, symbol text, made bigint, dtype text, shape text, value bytea, digest bytea,
        PRIMARY KEY (model, key)
    )""",
)
SELECT = f"SELECT {COLUMNS} FROM {SCHEMA}.forecasts"
TYPES = ("text", "bytea", "text", "int8", "text", "text", "bytea", "bytea")  # of COLUMNS
# an array a column: one statement and one answer, however many rows
INSERT = f"""
    INSERT INTO {SCHEMA}.forecasts ({COLUMNS})
    SELECT * FROM unnest(
        %s::text[], %b::bytea[], %s::text[], %s::bigint[], %s::text[], %s::text[], %b::bytea[], %b::bytea[]
    )
    ON CONFLICT (model, key) DO UPDATE SET
        symbol = excluded.symbol, made = excluded.made, dtype = excluded.dtype,
        shape = excluded.shape, value = excluded.value, digest = excluded.digest
"""
PORTION = 2000  # rows that are scanned at once
TIMEOUT = 5  # seconds to wait for a connection, and for another process's lock
PATIENCE = 30.0  # seconds that the server may keep silent
Database = psycopg.Connection[tuple[Any, ...]]
T = TypeVar("T")


class PostgresCache(ForecastCache):
    """The forecasts in the database of `url`, whose password is never shown.

    UsageError where the client cannot make sense of the URL's parameters.
    """

    forecasts = f"{SCHEMA}.forecasts"
    models = f"{SCHEMA}.models"
    vacuum = f"VACUUM {SCHEMA}.forecasts"
    remedy = "try again, or ask who keeps the database"

    def __init__(self, url: str, mode: str = "readwrite") -> None:
        super().__init__(without_password(url), mode)
        self._database: Database | None = None
        try:
            self._database = psycopg.connect(
                url,
                autocommit=True,
                prepare_threshold=None,  # poolers do not keep prepared statements
                connect_timeout=TIMEOUT,
                client_encoding="utf8",
                fallback_application_name="marketsim",
            )
        except psycopg.ProgrammingError:  # its text would quote the URL
            raise UsageError("--cache-url: PostgreSQL's client does not know its parameters") from None
        except psycopg.Error as error:
            self._warn(f"{_words(error)}; continuing without it")
        self._guarded(self._prepare)

    @property
    def usable(self) -> bool:
        """Whether there is a database to read."""
        return self._database is not None

    def close(self) -> None:
        """Close the connection."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def scan(self) -> Iterator[Row]:
        """Every row, a portion at a time; MarketsimError where they cannot be read."""
        if self._database is None:
            return
        with self._telling(), self._database.transaction(), self._database.cursor("scan", binary=True) as rows:
            rows.itersize = PORTION
            yield from map(Row._make, rows.execute(SELECT))

    def _read(self, model: str, keys: Sequence[bytes]) -> list[Row]:
        query = f"{SELECT} WHERE model = %s AND key = ANY(%b)"
        found = self._guarded(lambda database: database.execute(query, (model, keys), binary=True).fetchall())
        return [Row._make(row) for row in found or ()]

    def _write(self, model: tuple[str, ...], rows: Sequence[Row]) -> None:
        # in the order of their keys: two writers that lock the same rows then cannot wait for each other
        columns = [list(column) for column in zip(*sorted(rows), strict=True)]

        def write(database: Database) -> None:
            with database.transaction():
                database.execute(f"INSERT INTO {self.models} VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING", model)
                database.execute(INSERT, columns)

        self._guarded(write, writes=True)

    def _size(self) -> int:
        """Bytes of the rows themselves: the files also hold space that is kept for new ones."""
        return int(self._query(f"SELECT coalesce(sum(pg_column_size(each)), 0) FROM {self.forecasts} AS each")[0][0])

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        assert self._database is not None
        with self._telling(), _patience(self._database):
            cursor = self._database.execute(sql)
            return cursor.fetchall() if cursor.description else []

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Turn what the client raises into a MarketsimError."""
        try:
            yield
        except psycopg.Error as error:
            raise MarketsimError(f"forecast cache {self.place}: {_words(error)}; {self.remedy}") from error

    def _prepare(self, database: Database) -> None:
        """Make the tables where there are none; psycopg.Error where what has their names is something else."""
        database.execute(f"SET lock_timeout = '{TIMEOUT}s'")
        database.execute("SET synchronous_commit = off")  # a crash of the server may cost the newest rows
        if not _there(database, "to_regclass", self.forecasts):
            if self.mode == "readonly":
                self.close()
                return
            with database.transaction():
                database.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
                if not _there(database, "to_regnamespace", SCHEMA):
                    database.execute(f"CREATE SCHEMA {SCHEMA}")
                for statement in CREATE:
                    database.execute(statement)
        if not _ours(database):
            raise psycopg.DataError(f"the tables in its schema {SCHEMA} are not a cache's and are left alone")

    def _guarded(self, action: Callable[[Database], T], writes: bool = False) -> T | None:
        """`action` on the database; None where there is none, or where it failed, with a warning."""
        if self._database is None:
            return None
        try:
            with _patience(self._database):
                return action(self._database)
        except psycopg.Error as error:
            if writes and not self._database.broken:  # refused, such as for want of a right
                self._warn(f"{_words(error)}; no new forecasts are saved")
                self.mode = "readonly"
            else:
                self.close()
                self._warn(f"{_words(error)}; continuing without it")
            return None


def _there(database: Database, function: str, name: str) -> bool:
    return database.execute(f"SELECT {function}(%s)", (name,)).fetchone() != (None,)


def _ours(database: Database) -> bool:
    """Whether the tables have our columns."""
    try:
        database.execute(f"SELECT fingerprint, name, version, parameters FROM {SCHEMA}.models LIMIT 0")
        columns = database.execute(f"{SELECT} LIMIT 0").description or ()
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn):
        return False
    return tuple(column.type_display for column in columns) == TYPES


@contextmanager
def _patience(database: Database) -> Iterator[None]:
    """Cut the connection where the server keeps silent, which the client would bear for hours."""

    def cut() -> None:
        with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(database.fileno())) as line:
            line.shutdown(socket.SHUT_RDWR)

    timer = threading.Timer(PATIENCE, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _words(error: psycopg.Error) -> str:
    """What went wrong, without the lines that point into a statement."""
    return str(error).partition("\n")[0]
