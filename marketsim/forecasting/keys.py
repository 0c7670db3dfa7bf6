"""Cache keys of forecasts: a model's fingerprint, and digests of the bytes of its input."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.digests import blake2b, sha256
from marketsim.forecasting.contexts import Contexts
from marketsim.forecasting.protocols import ContextModel, FurtherModel, Identity, Model
from marketsim.forecasting.series import Series

if TYPE_CHECKING:
    from typing_extensions import TypeIs

KEY = 20  # bytes of a digest
BAR = np.dtype([("time", "<i8"), ("ohlcv", "<f8", 5)])
SHORT_BAR = np.dtype([*BAR.descr, ("following", "<i8")])  # than a day


def fingerprint(model: Identity) -> str:
    """SHA-256, in hex, of the model's name, version and parameters as canonical JSON."""
    identity = {"name": model.name, "version": model.version, "parameters": dict(model.parameters)}
    return sha256(json.dumps(identity, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def reads_contexts(model: Model) -> TypeIs[ContextModel]:
    """Whether the model is handed contexts rather than a history."""
    return hasattr(model, "context")


def looks_further(model: ContextModel) -> TypeIs[FurtherModel]:
    """Whether the model forecasts more than the next bar, as `path_forecasts.Paths` does."""
    return hasattr(model, "ahead")


def contexts_of(model: ContextModel, bars: Bars, origins: NDArray[np.int64]) -> Contexts:
    """What the model is handed for `origins`."""
    return Contexts.of(bars, origins, model.context, model.ahead if looks_further(model) else 1)


def keys_of(model: Model, bars: Bars, origins: NDArray[np.int64]) -> list[bytes]:
    """The cache keys of the increasing `origins`."""
    if reads_contexts(model):
        return context_keys(contexts_of(model, bars, origins))
    return series_keys(Series.of(bars), origins)


def series_keys(series: Series, origins: NDArray[np.int64]) -> list[bytes]:
    """A digest of `series.until(t)` for each of the increasing `origins`, in one pass over the bars.

    Bars that are appended later leave the keys of old origins as they are.
    """
    rows = np.empty(len(series), BAR if series.following is None else SHORT_BAR)
    rows["time"], rows["ohlcv"] = series.times.astype("datetime64[s]").astype("<i8"), series.ohlcv
    if series.following is not None:
        rows["following"] = series.following.astype("datetime64[s]").astype("<i8")
    running = blake2b(f"{series.symbol}\0{series.zone}\0".encode(), digest_size=KEY)
    start, keys = 0, []
    for stop in (origins + 1).tolist():
        running.update(rows[start:stop].tobytes())
        start = stop
        keys.append(running.copy().digest())
    return keys


def context_keys(contexts: Contexts) -> list[bytes]:
    """A key for each context: K digests of `KEY` bytes, one for what is known of each bar ahead.

    That is the context, and the stamps up to the bar's.
    """
    keys = []
    for row in range(len(contexts.origins)):
        bars, times = contexts.at(row)
        running = blake2b(np.ascontiguousarray(bars, "<f8").tobytes(), digest_size=KEY)
        parts, known = [], 0
        for stop in range(len(bars) + 1, len(times) + 1):
            running.update(times[known:stop].astype("<i8").tobytes())
            parts.append(running.copy().digest())
            known = stop
        keys.append(b"".join(parts))
    return keys
