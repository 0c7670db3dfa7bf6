"""All results of a walk by origin, for the comparison of two walks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import numpy as np
from msgspec import Struct
from msgspec.structs import fields
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import Fit, FittedTrackRecord
from marketsim.forecasting.ensembles import Composite, members_of
from marketsim.forecasting.protocols import Model
from marketsim.results.result import Result

Keys = Callable[[Model, Bars, NDArray[np.int64]], list[bytes]]  # as `forecasting.keys.keys_of`
Stage = Literal["cache key", "forecast", "fit", "trade"]  # in the order of the chain


class Channel(Struct, frozen=True, eq=False):
    """One quantity at K origins."""

    name: str  # such as "high" or "entry-exit upper"
    stage: Stage
    origins: NDArray[np.int64]  # [K] bar indices, increasing
    newest: NDArray[np.int64]  # [K] the newest bar that each may rest on
    values: NDArray[Any]  # [K, ...]


class Trace(Struct, frozen=True):
    """The channels of a walk, in the order of the chain."""

    channels: tuple[Channel, ...]

    @property
    def forecasts(self) -> Trace:
        """The forecasts alone."""
        return Trace(tuple(channel for channel in self.channels if channel.stage == "forecast"))

    def plus(self, result: Result) -> Trace:
        """With the fits and trades that these forecasts come to."""
        return Trace((*self.channels, *_strategies(result)))


def trace_forecasts(
    bars: Bars, origins: NDArray[np.int64], moves: NDArray[np.float64], model: Model | Composite, keys: Keys
) -> Trace:
    """The forecasts `moves` `[N, 4, Q]` at `origins` `[N]`, and the keys that the cache has for them."""
    digests = [
        Channel(
            f"cache key of {member.name}",
            "cache key",
            origins,
            origins,
            np.array([key.hex() for key in keys(member, bars, origins)]),
        )
        for member in members_of(model)
    ]
    forecasts = [Channel(name, "forecast", origins, origins, moves[:, i]) for i, name in enumerate(CHANNELS)]
    return Trace((*digests, *forecasts))


def _strategies(result: Result) -> Iterator[Channel]:
    """Fits and trades, oldest first; the last fit is the plan's."""
    walk = result.walk
    traded = walk.origins[walk.evaluated[::-1]]
    fitted = np.append(traded, walk.origins[-1])
    oldest_first = np.append(np.arange(len(traded))[::-1], len(traded))
    for track in result.strategies:
        for name, values in _choices(track.fit):
            yield Channel(f"{track.name} {name}", "fit", fitted, fitted, values[oldest_first])
        for name, values in _outcomes(track):
            yield Channel(f"{track.name} {name}", "trade", traded, traded + 1, values[::-1])


def _choices(fit: Fit) -> Iterator[tuple[str, NDArray[Any]]]:
    for field in fields(Fit):
        value = getattr(fit, field.name)
        if isinstance(value, Legs):
            yield "long", value.long
            if value.short is not None:
                yield "short", value.short
        elif isinstance(value, np.ndarray):
            yield field.name.replace("_", " "), value


def _outcomes(track: FittedTrackRecord) -> Iterator[tuple[str, NDArray[Any]]]:
    yield "orders", track.orders
    yield "trades", track.trades
    for fill, profits in track.profits.items():
        yield f"profit by {fill}", profits
