"""The forecasts of one symbol from its files, before they are matched to bars."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.errors import DataError

Floats = NDArray[np.float64]
Stamps = NDArray[np.datetime64]


class SymbolForecasts(Struct, frozen=True, eq=False):
    """R forecasts, by origin and bar; K levels. Either of the two stamps may be unknown, not both."""

    origin: Stamps  # [R] datetime64[ns], UTC, the open of the last bar known; NaT where the file does not say it
    bar: Stamps  # [R] the same of the bar that is forecast
    made_at: Stamps  # [R] when the forecast was made, UTC; NaT where the file does not say it
    levels: tuple[float, ...]  # [K] of quantiles, increasing
    quantiles: Floats  # [R, 4, K] prices or moves, NaN where there is none
    points: Floats  # [R, 4] the same of point forecasts
    last_close: Floats  # [R] of the origin, NaN where the file does not say it
    unit: str | None  # PRICES or MOVES, where the names of columns say it
    layout: str
    place: Callable[[int], str]  # row -> file and line, for messages

    def __len__(self) -> int:
        return len(self.origin)

    def digest(self) -> bytes:
        """Of all that forecasts rest on, whatever the order of the rows."""
        order = np.lexsort((self.bar, self.origin))
        running = hashlib.blake2b(f"{self.levels} {self.unit}".encode(), digest_size=20)
        for stamps in (self.origin, self.bar, self.made_at):
            running.update(stamps[order].astype("<i8").tobytes())
        for values in (self.quantiles, self.points):
            running.update(np.ascontiguousarray(values[order], "<f8").tobytes())
        return running.digest()


def join(parts: Sequence[SymbolForecasts], symbol: str) -> SymbolForecasts:
    """The forecasts of several files as one; DataError where they are in other units, or where one is there twice."""
    first = parts[0]
    levels = tuple(sorted({level for part in parts for level in part.levels}))
    for part in parts[1:]:
        if part.unit != first.unit:
            raise DataError(f"{symbol}: {first.place(0)} and {part.place(0)} have forecasts in different units")
    ends = np.cumsum([len(part) for part in parts])

    def place(row: int) -> str:
        at = int(np.searchsorted(ends, row, "right"))
        return parts[at].place(row - int(ends[at]) + len(parts[at]))

    whole = SymbolForecasts(
        origin=np.concatenate([part.origin for part in parts]),
        bar=np.concatenate([part.bar for part in parts]),
        made_at=np.concatenate([part.made_at for part in parts]),
        levels=levels,
        quantiles=np.concatenate([_at_levels(part, levels) for part in parts]),
        points=np.concatenate([part.points for part in parts]),
        last_close=np.concatenate([part.last_close for part in parts]),
        unit=first.unit,
        layout=first.layout,
        place=place,
    )
    order = np.lexsort((whole.bar, whole.origin))
    keys = np.stack([whole.origin, whole.bar]).view(np.int64)[:, order]
    for again in np.flatnonzero((keys[:, 1:] == keys[:, :-1]).all(0)):
        one, other = sorted((int(order[again]), int(order[again + 1])))
        raise DataError(f"{symbol}: {place(one)} and {place(other)} forecast the same bar from the same origin")
    return whole


def _at_levels(part: SymbolForecasts, levels: tuple[float, ...]) -> Floats:
    values = np.full((len(part), len(CHANNELS), len(levels)), np.nan)
    values[:, :, [levels.index(level) for level in part.levels]] = part.quantiles
    return values
