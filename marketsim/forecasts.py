"""Forecasts: what a model must offer, and the one sweep that makes forecasts, through the cache.

Letters: T bars, N origins, Q quantile levels; channels are open, high, low, close, in this order.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from marketsim.bars import CHANNELS, Bars
from marketsim.errors import DataError, MarketsimError

LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MEDIAN = 4  # index in LEVELS
OPEN, HIGH, LOW, CLOSE = range(4)


class Model(Protocol):
    """A history model: it fits on the bars before each origin, and on nothing else."""

    @property
    def name(self) -> str:
        """As in `registry.MODELS`."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same bars give other forecasts."""
        ...

    @property
    def trained_until(self) -> str | None:
        """ISO date of the newest bar in the weights; None where there are no weights."""
        ...

    @property
    def minimum_bars(self) -> int:
        """Bars needed up to and including the origin."""
        ...

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """What the forecasts depend on, for the fingerprint and the reader."""
        ...

    def forecast(self, ohlcv: NDArray[np.float64], origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Quantiles `[N, 4, Q]` at LEVELS of moves `X[t+1] / Close[t] - 1`, for origins `t` `[N]`.

        `ohlcv` `[T, 5]` is open, high, low, close, volume (NaN where absent); `origins` have any order.
        Row i depends on `ohlcv[: origins[i] + 1]` alone, to the bit: not on later bars or other origins.
        """
        ...


class Cache(Protocol):
    """Rows kept under the model's fingerprint and a key; `cache.ForecastCache` is one."""

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """Those of the rows that are there."""
        ...

    def put(self, model: Model, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep rows `[4, Q]` by key."""
        ...


class Clock(Protocol):
    """Times stages; `profiling.Clock` is one."""

    def stage(self, name: str) -> AbstractContextManager[object]:
        """Charges the time inside to `name`."""
        ...


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Coherent quantile forecasts of the bar after each origin, as moves from the origin's close."""

    origins: NDArray[np.int64]  # [N] bar index, increasing
    moves: NDArray[np.float64]  # [N, 4, Q] rising in Q, fractions of the origin's close
    repaired: int  # origins whose median was incoherent and was widened
    made: int  # forecasts computed now
    reused: int  # forecasts read from the cache

    @property
    def high(self) -> NDArray[np.float64]:
        """Median move of the high, `[N]`."""
        return self.moves[:, HIGH, MEDIAN]

    @property
    def low(self) -> NDArray[np.float64]:
        """Median move of the low, `[N]`."""
        return self.moves[:, LOW, MEDIAN]

    @property
    def close(self) -> NDArray[np.float64]:
        """Median move of the close, `[N]`."""
        return self.moves[:, CLOSE, MEDIAN]


def fingerprint(model: Model) -> str:
    """SHA-256, in hex, of the model's name, version and parameters as canonical JSON."""
    identity = {"name": model.name, "version": model.version, "parameters": dict(model.parameters)}
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def bar_keys(ohlcv: NDArray[np.float64], origins: NDArray[np.int64]) -> list[bytes]:
    """A 20-byte digest of `ohlcv[: t + 1]` for each of the increasing `origins`, in one pass over the bars.

    Bars that are appended later leave the keys of old origins as they are.
    """
    rows = np.ascontiguousarray(ohlcv, "<f8")
    running, start, keys = hashlib.blake2b(digest_size=20), 0, []
    for stop in (origins + 1).tolist():
        running.update(rows[start:stop].data)
        start = stop
        keys.append(running.copy().digest())
    return keys


def make_forecasts(
    model: Model, bars: Bars, origins: NDArray[np.int64], cache: Cache | None, clock: Clock
) -> Forecasts:
    """Forecasts at the increasing `origins`, each read from `cache` or made now and put there.

    DataError where the first origin has fewer bars than the model needs; MarketsimError where the model
    returns anything but finite numbers of the right shape.
    """
    if len(origins) and not (np.diff(origins, prepend=-1) > 0).all() & (origins[-1] < len(bars)):
        raise ValueError("origins must be increasing bar indices")
    if len(origins) and origins[0] + 1 < model.minimum_bars:
        raise DataError(
            f"{bars.symbol}: model '{model.name}' needs {model.minimum_bars} bars up to its first origin, "
            f"there are {origins[0] + 1}: lower --sims or --window"
        )
    shape = (len(CHANNELS), len(LEVELS))
    moves = np.empty((len(origins), *shape))
    missing = np.ones(len(origins), bool)
    if cache is not None:
        with clock.stage("cache"):
            keys = bar_keys(bars.ohlcv, origins)
            found = cache.get(fingerprint(model), keys)
            for i, key in enumerate(keys):
                row = found.get(key)
                if row is not None and row.shape == shape and np.isfinite(row).all():
                    moves[i], missing[i] = row, False
    if missing.any():
        with clock.stage("forecast"):
            moves[missing] = _checked(model, bars, origins[missing], shape)
        if cache is not None:
            with clock.stage("cache"):
                new = {keys[i]: moves[i] for i in np.flatnonzero(missing)}
                cache.put(model, new, bars.symbol)
    made = int(missing.sum())
    moves, repaired = _repair(moves)
    return Forecasts(origins, moves, repaired, made, len(origins) - made)


def _checked(model: Model, bars: Bars, origins: NDArray[np.int64], shape: tuple[int, int]) -> NDArray[np.float64]:
    moves = model.forecast(bars.ohlcv, origins)
    if moves.shape != (len(origins), *shape) or not np.isfinite(moves).all():
        raise MarketsimError(
            f"{bars.symbol}: model '{model.name}' returned {np.count_nonzero(~np.isfinite(moves))} "
            f"non-finite numbers in shape {moves.shape}, not finite ones in {(len(origins), *shape)}"
        )
    return moves


def _repair(moves: NDArray[np.float64]) -> tuple[NDArray[np.float64], int]:
    """Sort the quantiles, widen high and low to cover open and close, and count the medians that needed it.

    A high above two others has every quantile above theirs, so each level is widened by the same rule.
    """
    moves = np.sort(moves, axis=-1)
    body = moves[:, [OPEN, CLOSE]]
    high = np.maximum(moves[:, HIGH], body.max(1))
    low = np.minimum(moves[:, LOW], body.min(1))
    widened = (high != moves[:, HIGH]) | (low != moves[:, LOW])
    moves[:, HIGH], moves[:, LOW] = high, low
    return moves, int(widened[:, MEDIAN].sum())
