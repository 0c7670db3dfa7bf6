"""The forecast cache: rows that several processes or machines read and write at once.

A row is one forecast: the model's fingerprint, a digest of the bars that it saw, and the numbers as raw
little-endian float64 with their shape and dtype. A cache that fails costs time, never a run: its use ends with one
warning, or it is begun anew. `sqlite.py` keeps the rows in a file, `postgres.py` in a database, the same bytes.
"""

from __future__ import annotations

import json
import time
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.errors import MissingExtra
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import repair
from marketsim.forecasting.keys import fingerprint, keys_of
from marketsim.forecasting.protocols import Identity, Model
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings

COLUMNS = "key, dtype, shape, value"
DTYPE = "<f8"
TOLERANCE = 1e-6  # of moves: what batching and threads may change in a neural model


@dataclass(frozen=True, slots=True)
class CacheInfo:
    """What a cache holds; times are unix seconds, None where it holds nothing."""

    place: str
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
        """The sound rows among `keys`; a row whose bytes do not match its shape is as good as missing."""
        if self.mode == "refresh":
            return {}
        return dict(_decoded(self._read(model_fingerprint, keys)))

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep `rows` in one transaction, over what was there under their keys."""
        if self.mode == "readonly" or not rows:
            return
        identity, now = fingerprint(model), int(time.time())
        described = (identity, model.name, model.version, json.dumps(dict(model.parameters), sort_keys=True))
        encoded = [
            (identity, key, symbol, now, DTYPE, ",".join(map(str, row.shape)), row.astype(DTYPE).tobytes())
            for key, row in rows.items()
        ]
        self._write(described, encoded)

    def info(self) -> CacheInfo:
        """Size, age and contents; MarketsimError where they cannot be read."""
        if not self.usable:
            return CacheInfo(self.place, 0, 0, None, None, (), ())
        [(rows, oldest, newest)] = self._query(f"SELECT count(*), min(made), max(made) FROM {self.forecasts}")
        models = self._query(
            f"SELECT name, version, model, count(*) FROM {self.forecasts} LEFT JOIN {self.models} "
            "ON model = fingerprint GROUP BY name, version, model"
        )
        symbols = self._query(f"SELECT symbol, count(*) FROM {self.forecasts} GROUP BY symbol")
        # sorted here, for databases differ in how they order text
        by_model, by_symbol = (tuple(sorted(counts, key=str)) for counts in (models, symbols))
        return CacheInfo(self.place, self._size(), rows, oldest, newest, by_model, by_symbol)

    def clear(self) -> int:
        """Delete every forecast and give the space back; returns how many there were."""
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

    def _delete(self, which: str) -> None:
        self._query(f"DELETE FROM {self.forecasts} WHERE {which}")
        self._query(self.vacuum)

    def _count(self) -> int:
        return int(self._query(f"SELECT count(*) FROM {self.forecasts}")[0][0])

    def _warn(self, what: str) -> None:
        self.warnings.append(f"forecast cache {self.place}: {' '.join(what.split())}")

    @abstractmethod
    def _read(self, model: str, keys: Sequence[bytes]) -> Iterable[tuple[Any, ...]]:
        """COLUMNS of the rows among `keys`; nothing, and a warning, where they cannot be read."""

    @abstractmethod
    def _write(self, model: tuple[str, ...], rows: Sequence[tuple[Any, ...]]) -> None:
        """Keep whole rows of both tables in one transaction; a warning where that fails."""

    @abstractmethod
    def _size(self) -> int:
        """Bytes that the forecasts take."""

    @abstractmethod
    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a maintenance statement; MarketsimError where it fails, for the user must see that."""


def connect(settings: Settings, mode: str) -> ForecastCache:
    """The cache of `cache_url`, else of `cache_dir`; UsageError where it is named wrongly or cannot be made."""
    if settings.cache_url is None:
        from marketsim.forecasting.cache.sqlite import SqliteCache

        return SqliteCache(Path(settings.cache_dir) if settings.cache_dir else default_directory(), mode)
    try:
        from marketsim.forecasting.cache.postgres import PostgresCache
    except ImportError:
        raise MissingExtra("--cache-url", "cluster") from None
    return PostgresCache(settings.cache_url, mode)


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


def _decoded(rows: Iterable[tuple[Any, ...]]) -> Iterator[tuple[bytes, NDArray[np.float64]]]:
    for key, dtype, shape, value in rows:
        try:
            row = np.frombuffer(value, DTYPE).reshape([int(n) for n in shape.split(",")])
        except (AttributeError, TypeError, ValueError):
            continue
        if dtype == DTYPE:
            yield key, row.astype(np.float64)
