"""Under which keys forecasts are kept: a model's fingerprint, and digests of what it is given."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars, next_opens
from marketsim.data.zones import to_local
from marketsim.forecasting.protocols import ContextModel, Identity, Model

if TYPE_CHECKING:
    from typing_extensions import TypeIs

KEY = 20  # bytes of a digest


def fingerprint(model: Identity) -> str:
    """SHA-256, in hex, of the model's name, version and parameters as canonical JSON."""
    identity = {"name": model.name, "version": model.version, "parameters": dict(model.parameters)}
    return hashlib.sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def bar_keys(ohlcv: NDArray[np.float64], origins: NDArray[np.int64]) -> list[bytes]:
    """A digest of `ohlcv[: t + 1]` for each of the increasing `origins`, in one pass over the bars.

    Bars that are appended later leave the keys of old origins as they are.
    """
    rows = np.ascontiguousarray(ohlcv, "<f8")
    running, start, keys = hashlib.blake2b(digest_size=KEY), 0, []
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
    """What the model is handed for origins that have equally many bars: `[N, L, 5]` bars, `[N, L + K]` stamps.

    K is how many bars ahead the model looks: 1, but for `path_forecasts.Paths`. Stamps are what the exchange's clocks
    show, for that is what a market's hours and weekdays are.
    """
    seen = [(bars, slice(max(0, origin + 1 - model.context), origin + 1)) for bars, origin in places]
    ahead = getattr(model, "ahead", 1)
    times = []
    for bars, rows in seen:
        opens = np.append(bars.time[rows], next_opens(bars.timetable, bars.time[rows.stop - 1], ahead))
        times.append(to_local(opens, bars.timetable.zone))
    return np.stack([bars.ohlcv[rows] for bars, rows in seen]), np.stack(times)


def keys_of(model: Model, bars: Bars, origins: NDArray[np.int64]) -> list[bytes]:
    """The cache keys of the increasing `origins`: digests of the very bytes that the model is given for each.

    A key of a context model that looks K bars ahead is K digests of `KEY` bytes, one for what is known of each bar: the
    context and the stamps up to that bar's.
    """
    if not reads_contexts(model):
        return bar_keys(bars.ohlcv, origins)
    keys = []
    for origin in origins:
        (context,), (times,) = contexts_of(model, [(bars, origin)])
        running = hashlib.blake2b(np.ascontiguousarray(context, "<f8").tobytes(), digest_size=KEY)
        parts, known = [], 0
        for stop in range(len(context) + 1, len(times) + 1):
            running.update(times[known:stop].astype("<i8").tobytes())
            parts.append(running.copy().digest())
            known = stop
        keys.append(b"".join(parts))
    return keys
