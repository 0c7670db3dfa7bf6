"""The bars on which problems place a leg, by bar number, so that overlapping windows share them."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.profit_terms import Leg, ProfitTerms
from marketsim.execution.window_terms import WindowTerms

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


class PlacedLeg(Struct, frozen=True):
    """A leg of N bars, and on which of them each of B problems has it."""

    leg: Leg  # [N]
    rows: Rows  # [B, W] numbers of bars, and after them -1 where a problem has fewer
    size: Floats | None  # [B, W] how much each of them counts; None: 1

    @classmethod
    def of(cls, leg: Leg, rows: Rows, size: Floats | None = None) -> PlacedLeg:
        """Of bars `[N]` and rows `[B, W]` that are -1 anywhere; those are moved to the end, and cut off at the most."""
        there = rows >= 0
        width = int(there.sum(1).max(initial=0))
        if width < rows.shape[1]:
            order = np.argsort(~there, axis=1, kind="stable")[:, :width]
            rows = np.take_along_axis(rows, order, 1)
            size = None if size is None else np.take_along_axis(size, order, 1)
        return cls(leg, rows, size)

    def at(self, problems: Rows) -> PlacedLeg:
        """The leg in some of the problems."""
        return PlacedLeg.of(self.leg, self.rows[problems], None if self.size is None else self.size[problems])

    @property
    def placed(self) -> NDArray[np.bool_]:
        """Which problems `[B]` have the leg on any bar."""
        return np.asarray((self.rows >= 0).any(1))

    def total(self, count: Rows) -> Rows:
        """The sums `[B]` of a number `[N]` that each bar has."""
        sums: Rows = np.append(count, 0)[self.rows].sum(1)
        return sums


def placed_legs(terms: ProfitTerms) -> tuple[PlacedLeg, ...]:
    """The legs of problems `[B, W]` that share no bars."""
    legs = []
    for leg in terms.legs:
        there = leg.per_lower != 0
        rows = np.where(there, np.cumsum(there).reshape(there.shape) - 1, -1)
        legs.append(PlacedLeg.of(leg.map(itemgetter(there)), rows))
    return tuple(legs)


def legs_in_windows(parts: Sequence[WindowTerms]) -> tuple[PlacedLeg, ...]:
    """The legs of all windows, one after the other."""
    bars = ProfitTerms.concatenate([part.bars for part in parts])
    starts = np.cumsum([0, *(len(part.bars) for part in parts[:-1])])
    rows = np.concatenate([start + part.rows for start, part in zip(starts, parts, strict=True)])
    size = None
    if any(part.weights is not None for part in parts):
        of_parts = (1.0 if part.weights is None else part.weights for part in parts)
        size = np.concatenate(
            [np.broadcast_to(values, part.rows.shape) for values, part in zip(of_parts, parts, strict=True)]
        )
    return tuple(PlacedLeg.of(leg, np.where(leg.per_lower[rows] != 0, rows, -1), size) for leg in bars.legs)
