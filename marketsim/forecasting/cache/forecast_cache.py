"""The common part of the forecast caches: rows by model and key, and checks against damage.

A cache that fails costs time, never a run: its use ends with one warning, or it is begun anew.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.forecasting.cache.row import Row
from marketsim.forecasting.keys import fingerprint
from marketsim.forecasting.protocols import Identity

NEWEST_SECOND = 2**40  # unix seconds; a larger `made` is damage


class ModelCount(Struct, frozen=True):
    """How many forecasts of one model a cache holds; name and version are None where that is not known any more."""

    name: str | None
    version: str | None
    fingerprint: str
    forecasts: int


class SymbolCount(Struct, frozen=True):
    """How many forecasts of one symbol a cache holds."""

    symbol: str
    forecasts: int


class MovedFile(Struct, frozen=True):
    """A damaged or foreign cache file that was moved aside, with its log."""

    name: str
    bytes: int


class CacheInfo(Struct, frozen=True):
    """What a cache holds; times are unix seconds, None where it holds nothing."""

    place: str
    bytes: int
    forecasts: int
    oldest: int | None
    newest: int | None
    models: tuple[ModelCount, ...]
    symbols: tuple[SymbolCount, ...]
    moved: tuple[MovedFile, ...]


class ForecastCache(ABC):
    """Forecasts by model and key; `mode` is readwrite, readonly (never writes) or refresh (never reads).

    `place` is what messages call it; `warnings` collects what goes wrong.
    """

    forecasts = "forecasts"  # the tables' names in SQL
    models = "models"
    vacuum = "VACUUM"
    remedy: str  # what a user can do about a failure

    def __init__(self, place: str, mode: str) -> None:
        self.place = place
        self.mode = mode
        self.warnings: list[str] = []
        self._damaged: set[tuple[str, bytes]] = set()
        self._damage_warning = ""  # the newest, which a later one replaces

    def __enter__(self) -> ForecastCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    @abstractmethod
    def usable(self) -> bool:
        """Whether there is something to read."""

    @abstractmethod
    def close(self) -> None:
        """Let go of it; a closed cache holds nothing and keeps nothing."""

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """The undamaged rows among `keys`.

        A row whose digest does not match is missing, so that it is made again and replaced; one warning counts them.
        """
        if self.mode == "refresh":
            return {}
        found = {}
        damaged = set()
        for row in self._read(model_fingerprint, keys):
            moves = row.decode()
            if moves is None:
                damaged.add((model_fingerprint, row.key))
            else:
                found[row.key] = moves
        if damaged:
            self._count_damaged(damaged)
        return found

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep `rows` in one transaction, over what was there under their keys."""
        if self.mode == "readonly" or not rows:
            return
        identity, now = fingerprint(model), int(time.time())
        described = (identity, model.name, model.version, json.dumps(dict(model.parameters), sort_keys=True))
        self._write(described, [Row.encode(identity, key, symbol, now, moves) for key, moves in rows.items()])

    def info(self) -> CacheInfo:
        """Size, age and contents; MarketsimError where they cannot be read."""
        if not self.usable:
            return CacheInfo(self.place, 0, 0, None, None, (), (), self.moved())
        [(rows, oldest, newest)] = self._query(f"SELECT count(*), min(made), max(made) FROM {self.forecasts}")
        models = self._query(
            f"SELECT name, version, model, count(*) FROM {self.forecasts} LEFT JOIN {self.models} "
            "ON model = fingerprint GROUP BY name, version, model"
        )
        symbols = self._query(f"SELECT symbol, count(*) FROM {self.forecasts} GROUP BY symbol")
        return CacheInfo(
            place=self.place,
            bytes=self._size(),
            forecasts=rows,
            oldest=_second(oldest),
            newest=_second(newest),
            # sorted here, for databases differ in how they order text
            models=tuple(ModelCount(*row) for row in sorted(models, key=str)),
            symbols=tuple(SymbolCount(str(symbol), count) for symbol, count in sorted(symbols, key=str)),
            moved=self.moved(),
        )

    def moved(self) -> tuple[MovedFile, ...]:
        """The files that were moved aside, oldest first; a database has none."""
        return ()

    def clear(self) -> int:
        """Delete every forecast and what was moved aside, and give the space back; returns how many forecasts."""
        return self.prune(keep_bytes=0)

    def prune(self, older_than_days: float | None = None, keep_bytes: int | None = None) -> int:
        """Delete what is older, then the oldest until the rest is no larger; returns how many forecasts.

        MarketsimError where another process is in the way.
        """
        if not self.usable or self.mode == "readonly":
            return 0
        before = self._count()
        if older_than_days is not None:
            self._delete(f"made < {int(time.time() - older_than_days * 86_400)}")
        while keep_bytes is not None and (rows := self._count()) and (size := self._size()) > keep_bytes:
            surplus = max(1, round(rows * (1 - keep_bytes / size)))
            self._delete(f"(model, key) IN (SELECT model, key FROM {self.forecasts} ORDER BY made LIMIT {surplus})")
        return before - self._count()

    @abstractmethod
    def scan(self) -> Iterator[Row]:
        """Every row, damaged ones too; MarketsimError where they cannot be read."""

    def _count_damaged(self, rows: set[tuple[str, bytes]]) -> None:
        if self._damage_warning in self.warnings:
            self.warnings.remove(self._damage_warning)
            rows |= self._damaged
        self._damaged = rows
        count = len(rows)
        words = "1 stored forecast is" if count == 1 else f"{count:,} stored forecasts are"
        self._damage_warning = self._warn(f"{words} damaged (wrong digest) and counted as missing")

    def _delete(self, which: str) -> None:
        self._query(f"DELETE FROM {self.forecasts} WHERE {which}")
        self._query(self.vacuum)

    def _count(self) -> int:
        return int(self._query(f"SELECT count(*) FROM {self.forecasts}")[0][0])

    def _warn(self, what: str) -> str:
        self.warnings.append(f"forecast cache {self.place}: {' '.join(what.split())}")
        return self.warnings[-1]

    @abstractmethod
    def _read(self, model: str, keys: Sequence[bytes]) -> Iterable[Row]:
        """The rows among `keys`; nothing, and a warning, where they cannot be read."""

    @abstractmethod
    def _write(self, model: tuple[str, ...], rows: Sequence[Row]) -> None:
        """Keep rows of both tables in one transaction; a warning where that fails."""

    @abstractmethod
    def _size(self) -> int:
        """Bytes that the forecasts take."""

    @abstractmethod
    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a maintenance statement; MarketsimError where it fails, for the user must see that."""


def _second(stamp: object) -> int | None:
    """A time as it was stored, where it can be one."""
    return stamp if isinstance(stamp, int) and 0 <= stamp < NEWEST_SECOND else None
