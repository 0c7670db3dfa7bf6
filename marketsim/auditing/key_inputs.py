"""The inputs of a model, one at a time: a change of any must change a forecast's cache key."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.auditing.chain import Chain
from marketsim.auditing.trace import Keys
from marketsim.data.bars import CHANNELS, Bars
from marketsim.data.walk_forward import Walk
from marketsim.forecasting.ensembles import members_of
from marketsim.forecasting.keys import reads_contexts
from marketsim.forecasting.protocols import Model

COLUMNS = (*CHANNELS, "volume")
CALENDARS = ("24/7", "weekdays", "XNYS")


def unseen_inputs(chain: Chain, bars: Bars, walk: Walk) -> list[tuple[str, str]]:
    """The names of models, and of inputs that may change while the key of a forecast does not."""
    return [
        (member.name, what)
        for member in members_of(chain.tools.model)
        for what, origins, other in _changes(member, bars, walk)
        if _shared(chain.keys, member, bars, other, origins)
    ]


def _shared(keys: Keys, model: Model, bars: Bars, other: Bars, origins: NDArray[np.int64]) -> bool:
    """Whether an origin has the same key on both bars."""
    pairs = zip(keys(model, bars, origins), keys(model, other, origins), strict=True)
    return any(mine == yours for mine, yours in pairs)


def _changes(model: Model, bars: Bars, walk: Walk) -> Iterator[tuple[str, NDArray[np.int64], Bars]]:
    """Changed inputs: what was changed, the origin, and the changed bars."""
    origin = int(walk.origins[-1])
    contexts = reads_contexts(model)
    oldest = max(0, origin + 1 - model.context) if reads_contexts(model) else 0
    last = np.array([origin])
    for column, name in enumerate(COLUMNS):
        for bar in (oldest, origin):
            ohlcv = bars.ohlcv.copy()
            ohlcv[bar, column] = np.nan_to_num(ohlcv[bar, column]) * 1.01 + 1e-9
            yield f"{name} of a bar", last, replace(bars, ohlcv=ohlcv)
    for bar in (oldest, origin):
        times = bars.time.copy()
        times[bar] += np.timedelta64(1, "s")
        yield "time of a bar", last, replace(bars, time=times)
    if contexts:
        yield from _calendars(bars, walk.origins)
    else:
        yield "symbol", last, replace(bars, symbol=f"{bars.symbol}X")


def _calendars(bars: Bars, origins: NDArray[np.int64]) -> Iterator[tuple[str, NDArray[np.int64], Bars]]:
    """Calendars by which the next bar opens at another time."""
    for name in CALENDARS:
        other = bars.on(name)
        apart = origins[other.following(origins) != bars.following(origins)]
        if len(apart):
            yield "calendar", apart, other
