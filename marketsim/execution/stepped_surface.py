"""The calibrated fill with finer bars: steps, and the probability w inside a finer bar that leaves doubt.

Entry and take-profit in one finer bar leave the same doubt as in a bar alone, and it is weighted by the w of that
finer bar. On the lattice a step is a doubled edge, at which weights jump; what w credits is linear between edges, as on
bars without finer ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.finer_bars import FinerBars
from marketsim.execution.lattices import Interval, Lattice, Precision, Probability, surface_of_w
from marketsim.execution.profit_terms import LEVEL_TIE, Outcomes
from marketsim.execution.staircases import Staircases
from marketsim.settings.choices import EXPECTED

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Bools = NDArray[np.bool_]
InFinerBars = Callable[[Rows, Rows], tuple[Outcomes, Probability]]  # finer bars [M] of bars [M], and w in them


def stepped_surface(
    inside: FinerBars,
    exit: Floats,
    in_finer_bars: InFinerBars,
    upper_clip: Interval,
    lower_clip: Interval,
    precision: Precision,
) -> Lattice:
    """The lattice of N bars; what is not taken is closed at `exit` `[N]`."""
    steps = _Steps.of(inside, upper_clip, lower_clip)
    doubts = _Doubts.of(steps, exit, in_finer_bars, upper_clip[0], precision)
    edges = np.where(steps.start < steps.end, 2, 1)
    edges[steps.in_doubt] = doubts.lower_count
    at = np.repeat(np.arange(len(edges)), edges)  # the step that each edge of the lower level belongs to
    place = np.arange(len(at)) - (np.cumsum(edges) - edges)[at]  # which of its edges that is
    lower = np.where(place == 0, steps.start[at], steps.end[at])
    upper, beyond = _upper_edges(steps, doubts, upper_clip[0])
    bar = steps.bar[at]
    x, certain = upper[bar], steps.certain[at, None]
    weight = np.where((x < certain) | ((x == certain) & ~beyond[bar]), 1.0, 0.0)
    (inner,) = np.nonzero(steps.in_doubt[at])
    doubt = (np.cumsum(steps.in_doubt) - 1)[at[inner]]
    lower[inner] = doubts.lower[doubt, place[inner]]
    of_w = doubts.weights(doubt, place[inner], x[inner], beyond[bar[inner]], exit[bar[inner]])
    weight[inner] = np.where(weight[inner] == 0, of_w, weight[inner])
    (lower, weight) = (_by_bar(bar, len(exit), array) for array in (lower, weight))
    weight = np.minimum.accumulate(np.swapaxes(weight, 1, 2), 1)
    return Lattice(upper, lower, np.maximum.accumulate(weight, 2), interpolated=True)


class _Steps(Struct, frozen=True):
    """The F steps of all bars, bar by bar, each from its lowest entries up."""

    bar: Rows  # [F]
    entry: Rows  # [F] the finer bar of the entry
    start: Floats  # [F]
    end: Floats  # [F] of the last step of a bar: the open, or where levels end
    certain: Floats  # [F]
    possible: Floats  # [F]
    in_doubt: Bools  # [F]

    @classmethod
    def of(cls, inside: FinerBars, upper_clip: Interval, lower_clip: Interval) -> _Steps:
        steps = Staircases.of(inside, EXPECTED, upper_clip, lower_clip)
        bar, place = np.nonzero(np.arange(steps.start.shape[1]) < steps.count[:, None])
        start, certain, possible = (array[bar, place] for array in (steps.start, steps.certain, steps.possible))
        last = np.maximum(start, np.minimum(inside.open[bar, 0], lower_clip[1] - 2 * LEVEL_TIE))
        end = np.where(place == steps.count[bar] - 1, last, np.append(start[1:], 0.0))
        return cls(bar, steps.entry[bar, place], start, end, certain, possible, (possible > certain) & (start < end))


class _Doubts(Struct, frozen=True):
    """What w credits in M steps in doubt: the part of a lattice that lies in each."""

    bar: Rows  # [M]
    upper: Floats  # [M, P] edges, the last of them the highest take-profit that is possible
    lower: Floats  # [M, Q] edges
    lower_count: Rows  # [M] of those that are not repeated
    weight: Floats  # [M, P, Q]

    @classmethod
    def of(
        cls, steps: _Steps, exit: Floats, in_finer_bars: InFinerBars, lowest: float, precision: Precision
    ) -> _Doubts:
        bar, entry = steps.bar[steps.in_doubt], steps.entry[steps.in_doubt]
        certain, end = steps.certain[steps.in_doubt], steps.end[steps.in_doubt]
        if not len(bar):
            return cls(bar, np.empty((0, 1)), np.empty((0, 1)), bar, np.empty((0, 1, 1)))
        finer, probability = in_finer_bars(bar, entry)
        part = surface_of_w(finer, exit[bar], np.maximum(certain, lowest), end, probability, precision)
        count = 1 + (part.lower_edges < part.lower_edges[:, -1:]).sum(1)
        return cls(bar, part.upper_edges, part.lower_edges, count, part.weight)

    def weights(self, doubt: Rows, place: Rows, x: Floats, beyond: Bools, exit: Floats) -> Floats:
        """Weights `[G, U]` at upper levels `x` `[G, U]`, or just `beyond` them, at a lower edge of each of G doubts."""
        edges, top = self.upper[doubt], self.upper[doubt, -1:]
        taken = self.weight[doubt, :, place] * (edges - exit[:, None])
        after = np.clip((edges[:, None, :] < x[:, :, None]).sum(2), 1, edges.shape[1] - 1)
        row = np.arange(len(doubt))[:, None]
        width = edges[row, after] - edges[row, after - 1]
        way = np.clip((x - edges[row, after - 1]) / np.where(width > 0, width, 1.0), 0.0, 1.0)
        here = taken[row, after - 1] * (1 - way) + taken[row, after] * way
        stake = x - exit[:, None]
        weight = np.where(stake > 0, here / np.where(stake > 0, stake, 1.0), 1.0)
        return np.where((x < top) | ((x == top) & ~beyond), weight, 0.0)


def _upper_edges(steps: _Steps, doubts: _Doubts, lowest: float) -> tuple[Floats, Bools]:
    """The edges `[N, U]` of the upper level of all steps of a bar, and which of two at one price lies beyond it."""
    bars = int(steps.bar[-1]) + 1
    aiming = steps.certain >= lowest
    reached = steps.bar[aiming]
    without = np.setdiff1d(np.arange(bars), [*reached, *doubts.bar])
    bar = [np.repeat(reached, 2), np.repeat(doubts.bar, doubts.upper.shape[1]), doubts.bar, without]
    x = [np.repeat(steps.certain[aiming], 2), doubts.upper.ravel(), doubts.upper[:, -1], np.full(len(without), lowest)]
    after = [np.arange(2 * len(reached)) % 2, np.ones(doubts.upper.size), np.zeros(len(doubts.bar) + len(without))]
    at, level, beyond = np.concatenate(bar), np.concatenate(x), np.concatenate(after) > 0
    order = np.lexsort([beyond, level, at])
    at, level, beyond = at[order], level[order], beyond[order]
    other = (at[1:] != at[:-1]) | (level[1:] != level[:-1]) | (beyond[1:] != beyond[:-1])
    at, level, beyond = (array[np.append(True, other)] for array in (at, level, beyond))
    kept = ~(beyond & np.append(at[1:] != at[:-1], True))  # above the last one nothing is taken
    return _by_bar(at[kept], bars, level[kept]), _by_bar(at[kept], bars, beyond[kept])


def _by_bar(bar: Rows, bars: int, values: NDArray[Any]) -> NDArray[Any]:
    """Values `[F, ...]` of bars in order as `[N, W, ...]`; a bar with fewer repeats its last one."""
    count = np.bincount(bar, minlength=bars)
    place = np.minimum(np.arange(count.max()), count[:, None] - 1)
    found: NDArray[Any] = values[(np.cumsum(count) - count)[:, None] + place]
    return found
