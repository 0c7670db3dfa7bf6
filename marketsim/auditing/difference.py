"""The first difference of two walks that should be equal: its origin, and there the first stage of the chain."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.auditing.trace import Channel, Stage, Trace


class Difference(Struct, frozen=True):
    """The first value that moved."""

    channel: str
    stage: Stage
    origin: int  # bar index
    before: float | str
    after: float | str


class Comparison(Struct, frozen=True):
    """A comparison of forecasts, and its outcome."""

    origins: int  # compared
    largest: float  # by which a forecast moved
    first: Difference | None  # that is more than rounding

    @property
    def exact(self) -> bool:
        """Whether not a bit of the forecasts moved."""
        return self.largest == 0


def compare(base: Trace, other: Trace, until: int, tolerance: float) -> Comparison:
    """Compare only results that depend on bars up to `until`.

    Forecasts may move by `tolerance`, all else by nothing. What both have is compared, in the order of the chain.
    """
    pairs = [_known(mine, yours, until) for mine, yours in zip(base.channels, other.channels, strict=False)]
    forecasts = [pair for pair in pairs if pair.stage == "forecast"]
    largest = max((pair.amounts.max(initial=0.0) for pair in forecasts), default=0.0)
    moved = [
        difference
        for pair in pairs
        if (difference := pair.first(tolerance if pair.stage == "forecast" else 0.0)) is not None
    ]
    first = min(moved, key=lambda difference: difference.origin, default=None)  # ties: the earlier in the chain
    return Comparison(len(forecasts[0].origins), float(largest), first)


class _Pair(Struct, frozen=True, eq=False):
    """A channel of two walks at the origins of both."""

    name: str
    stage: Stage
    origins: NDArray[np.int64]  # [K]
    before: NDArray[Any]  # [K, ...]
    after: NDArray[Any]  # [K, ...]

    @property
    def amounts(self) -> NDArray[np.float64]:
        """By how much the values moved; 1 for what is no number."""
        if self.before.dtype.kind == "f":
            equal = (self.before == self.after) | (np.isnan(self.before) & np.isnan(self.after))
            amounts: NDArray[np.float64] = np.where(
                equal, 0.0, np.nan_to_num(np.abs(self.after - self.before), nan=np.inf)
            )
            return amounts
        apart: NDArray[np.float64] = (self.before != self.after).astype(np.float64)
        return apart

    def first(self, tolerance: float) -> Difference | None:
        amounts = self.amounts.reshape(len(self.origins), -1)
        rows = np.flatnonzero((amounts > tolerance).any(1))
        if not len(rows):
            return None
        row = rows[0]
        cell = amounts[row].argmax()
        before, after = (part.reshape(len(self.origins), -1)[row, cell] for part in (self.before, self.after))
        return Difference(self.name, self.stage, int(self.origins[row]), _plain(before), _plain(after))


def _plain(value: np.generic) -> float | str:
    """A number, or anything else in words."""
    number = isinstance(value, (np.floating, np.integer)) and np.isfinite(value)
    return float(value) if number else str(value).lower()


def _known(mine: Channel, yours: Channel, until: int) -> _Pair:
    """The rows of both that rest on bars up to `until`."""
    wanted = mine.origins[mine.newest <= until]
    at, there = (np.searchsorted(part.origins, wanted) for part in (mine, yours))
    return _Pair(mine.name, mine.stage, mine.origins[at], mine.values[at], yours.values[there])
