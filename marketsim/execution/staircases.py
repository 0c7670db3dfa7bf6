"""The take-profits that came after the entry according to finer bars: a staircase in both levels.

An entry at `d` happens in the first finer bar that traded through it, so it moves to another one only where `d` passes
a record of the running low, or the open of a finer bar that gaps below the record. What is reached after it is then
one price, the height of the step: below it a take-profit is certain. Beyond it there is doubt only up to the high of
the finer bar of the entry, where that is above all later ones.

All of it is that of a long; a short is a long on the mirrored bars. Steps lie at prices, so that nothing about them is
approximate.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.finer_bars import FinerBars
from marketsim.execution.lattices import Interval, Lattice
from marketsim.execution.profit_terms import LEVEL_TIE
from marketsim.settings.choices import EXPECTED, PROVABLE, TOUCH

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]


class Staircases(Struct, frozen=True):
    """Steps of N bars, from the lowest entries up, S at most; a bar with fewer repeats its last one."""

    start: Floats  # [N, S] a step begins above this lower level, and ends where the next one begins
    certain: Floats  # [N, S] the highest take-profit that is filled for certain; it never falls from step to step
    possible: Floats  # [N, S] the highest one that may be
    entry: Rows  # [N, S] the finer bar of the entry
    count: Rows  # [N] steps

    @classmethod
    def of(cls, inside: FinerBars, fill: str, upper_clip: Interval, lower_clip: Interval) -> Staircases:
        """The steps of a fill policy that levels inside their clips can tell apart.

        Only `expected` leaves a doubt: `touch` takes what is possible for certain, `provable` for impossible.
        """
        size, bars = inside.low.shape
        lowest = np.minimum.accumulate(inside.low, 1)
        before = np.concatenate([np.full((size, 1), np.inf), lowest[:, :-1]], 1)
        opened = inside.open  # an entry above it was at the open
        if fill == EXPECTED:  # and so was one at the very open, where levels end
            opened = np.where(opened <= lower_clip[1], np.minimum(opened, lower_clip[1] - 2 * LEVEL_TIE), opened)
        opened = np.clip(opened, lowest, before)
        through = 2 * LEVEL_TIE if fill == PROVABLE else 0.0
        high, later = inside.high - through, inside.later_high - through
        most = np.maximum(high, later)
        least = most if fill == TOUCH else np.maximum(later, np.minimum(inside.close, high))
        start, certain, possible = (
            np.stack(pair, 2)[:, ::-1].reshape(size, 2 * bars)  # of each finer bar: inside it, then at its open
            for pair in ((lowest, opened), (least, most), (most, most))
        )
        if fill != EXPECTED:
            possible = certain
        nowhere = upper_clip[0] - 1.0  # no take-profit is so low
        certain, possible = (np.where(top < upper_clip[0], nowhere, top) for top in (certain, possible))
        kept = np.concatenate([start[:, 1:] > start[:, :-1], np.ones((size, 1), bool)], 1)
        kept &= (start < lower_clip[1]) | (np.cumsum(kept, 1) == 1)
        settled = np.maximum.accumulate(np.where(kept & (possible <= certain), certain, -np.inf), 1)
        kept &= (possible > certain) | (certain > np.concatenate([np.full((size, 1), -np.inf), settled[:, :-1]], 1))
        count = kept.sum(1)
        order = np.argsort(~kept, axis=1, kind="stable")[:, : count.max(initial=1)]
        order = np.take_along_axis(order, np.minimum(np.arange(order.shape[1]), count[:, None] - 1), 1)
        start, certain, possible = (np.take_along_axis(array, order, 1) for array in (start, certain, possible))
        return cls(start, certain, possible, bars - 1 - order // 2, count)


def step_lattice(inside: FinerBars, fill: str, upper_clip: Interval, lower_clip: Interval) -> Lattice:
    """The fills of `touch` or `provable`, in bins: every weight is 0 or 1."""
    steps = Staircases.of(inside, fill, upper_clip, lower_clip)
    weight = np.where(steps.certain[:, :, None] <= steps.certain[:, None, :], 1.0, 0.0)
    return Lattice(steps.certain, steps.start, weight)
