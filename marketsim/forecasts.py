"""Forecasts: what a model must offer, what comes out of it, and under which keys it is kept.

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

from marketsim.bars import Bars

FITS_ON_THE_PAST = "fits on past bars only"  # what a history model says of its training
LEVELS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
MEDIAN = 4  # index in LEVELS; a model may put another point forecast there
OPEN, HIGH, LOW, CLOSE = range(4)
HIGHEST, LOWEST = 4, 5  # of a path: the extremes of all its bars up to one, beside the four channels of that one


class Identity(Protocol):
    """What a forecast model is, apart from its forecasts."""

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
        """ISO date of the newest bar in the weights, "unknown" where nobody says; None where there are no weights."""
        ...

    @property
    def training(self) -> str:
        """What is known of the bars in the weights and who says so, in a few words."""
        ...

    @property
    def minimum_bars(self) -> int:
        """Bars needed up to and including the origin."""
        ...

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """What the forecasts depend on, for the fingerprint and the reader."""
        ...


class HistoryModel(Identity, Protocol):
    """It fits on the bars before each origin, and on nothing else."""

    def forecast(self, ohlcv: NDArray[np.float64], origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Quantiles `[N, 4, Q]` at LEVELS of moves `X[t+1] / Close[t] - 1`, for origins `t` `[N]`.

        `ohlcv` `[T, 5]` is open, high, low, close, volume (NaN where absent); `origins` have any order.
        Row i depends on `ohlcv[: origins[i] + 1]` alone, to the bit: not on later bars or other origins.
        """
        ...


class ContextModel(Identity, Protocol):
    """It was trained before, and is handed contexts that end at their origins, never the series."""

    @property
    def context(self) -> int:
        """Bars that it reads at most, the origin included."""
        ...

    @property
    def batch(self) -> int:
        """Contexts that pay in one call on its device; asked for only when there is something to forecast."""
        ...

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles `[N, 4, Q]` at LEVELS of the moves of the bar after each of the `contexts` `[N, L, 5]`.

        L is from `minimum_bars` to `context`, and the last bar of each context is its origin. `times` `[N, L + 1]`
        (datetime64[s]) label their opens, and last that of the bar to be forecast. Row i depends on context and times i
        alone, but for what other sizes of a batch do to the last digits. MemoryError where the device cannot hold
        so many; the sweep then halves the batch.
        """
        ...


class PathModel(ContextModel, Protocol):
    """It draws paths: bars beyond the next one, each after those before it."""

    @property
    def horizon(self) -> int:
        """Bars ahead at most."""
        ...

    def paths(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles `[N, K, 6, Q]` at LEVELS of the moves of the K bars after each of the `contexts` `[N, L, 5]`.

        All are moves from the origin's close: open, high, low and close of a bar, then the highest and the lowest price
        of the path up to that bar. `times` `[N, L + K]` as in `forecast`, which gives the first bar's four channels
        too. What is said of a bar does not depend on K.
        """
        ...


Model = HistoryModel | ContextModel


class Cache(Protocol):
    """Rows kept under the model's fingerprint and a key; `cache.ForecastCache` is one."""

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """Those of the rows that are there."""
        ...

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep rows by key."""
        ...


class Clock(Protocol):
    """Times stages; `profiling.Clock` is one."""

    def stage(self, name: str) -> AbstractContextManager[object]:
        """Charges the time inside to `name`."""
        ...


@dataclass(frozen=True, slots=True)
class Forecasts:
    """Coherent quantile forecasts of the bar after each origin, as moves from the origin's close."""

    model: Identity  # that made them
    origins: NDArray[np.int64]  # [N] bar index, increasing
    moves: NDArray[np.float64]  # [N, 4, Q], of paths [N, K, 6, Q], rising in Q, fractions of the origin's close
    repaired: NDArray[np.bool_]  # [N], of paths [N, K], whose median was incoherent and was widened
    made: int  # forecasts computed now
    reused: int  # forecasts read from the cache
    notes: tuple[str, ...] = ()  # one-line remarks for stderr

    @property
    def high(self) -> NDArray[np.float64]:
        """Median move of the high, `[N]`, of paths `[N, K]`."""
        return self.moves[..., HIGH, MEDIAN]

    @property
    def low(self) -> NDArray[np.float64]:
        """Median move of the low, `[N]`, of paths `[N, K]`."""
        return self.moves[..., LOW, MEDIAN]

    @property
    def close(self) -> NDArray[np.float64]:
        """Median move of the close, `[N]`, of paths `[N, K]`."""
        return self.moves[..., CLOSE, MEDIAN]


def actual_moves(bars: Bars, origins: NDArray[np.int64]) -> NDArray[np.float64]:
    """What the bars after the `origins` did: moves `[N, 4]` from the origins' closes."""
    moves: NDArray[np.float64] = bars.ohlcv[origins + 1, :4] / bars.close[origins, None] - 1
    return moves


def fingerprint(model: Identity) -> str:
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


def repair(moves: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Sort the quantiles, widen high and low to cover open and close, and tell `[N]` whose median needed it.

    A high above two others has every quantile above theirs, so each level is widened by the same rule. So are the
    extremes of paths `[N, K, 6, Q]`, to cover the highs and lows of all bars so far.
    """
    moves = np.sort(moves, axis=-1)
    body = moves[..., [OPEN, CLOSE], :]
    high = np.maximum(moves[..., HIGH, :], body.max(-2))
    low = np.minimum(moves[..., LOW, :], body.min(-2))
    widened = (high != moves[..., HIGH, :]) | (low != moves[..., LOW, :])
    moves[..., HIGH, :], moves[..., LOW, :] = high, low
    if moves.shape[-2] > LOWEST:
        for row, widen, least in ((HIGHEST, np.maximum, high), (LOWEST, np.minimum, low)):
            moves[..., row, :] = widen.accumulate(widen(moves[..., row, :], least), axis=-2)
    return moves, widened[..., MEDIAN]
