"""Under which keys forecasts are kept: a model's fingerprint, and digests of what it is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendar import next_open
from marketsim.forecasting.protocols import ContextModel, Identity, Model

if TYPE_CHECKING:
    from typing_extensions import TypeIs


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


def reads_contexts(model: Model) -> TypeIs[ContextModel]:
    """Whether the model is handed contexts rather than a history."""
    return hasattr(model, "context")


def contexts_of(
    model: ContextModel, places: Sequence[tuple[Bars, np.int64]]
) -> tuple[NDArray[np.float64], NDArray[np.datetime64]]:
    """What the model is handed for origins that have equally many bars: `[N, L, 5]` bars, `[N, L + 1]` stamps."""
    seen = [(bars, slice(max(0, origin + 1 - model.context), origin + 1)) for bars, origin in places]
    times = [np.append(bars.time[rows], next_open(bars.time[rows])) for bars, rows in seen]
    return np.stack([bars.ohlcv[rows] for bars, rows in seen]), np.stack(times)


def keys_of(model: Model, bars: Bars, origins: NDArray[np.int64]) -> list[bytes]:
    """The cache keys of the increasing `origins`: digests of the very bytes that the model is given for each."""
    if not reads_contexts(model):
        return bar_keys(bars.ohlcv, origins)
    keys = []
    for origin in origins:
        contexts, times = contexts_of(model, [(bars, origin)])
        given = np.ascontiguousarray(contexts, "<f8").tobytes() + times.astype("<i8").tobytes()
        keys.append(hashlib.blake2b(given, digest_size=20).digest())
    return keys
