"""A leg's bars for a device: a row of numbers for each, which describes its lattice by straight lines.

What is taken at levels `u` and `d` is the sum over upper edges p of `share[p](d) * value[p](u)`. From one edge to the
next all of them are lines: a share in the lower level, a value in the upper one, which has one at the next edge and one
at the edge before, and none at others. On lattices of bins shares do not rise, and there is a value at the next edge
alone.
"""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.profit_terms import Leg
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.leg_profit import LegProfit
from marketsim.optimizers.exact.tuning import TUNING

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]


class LegTable(Struct, frozen=True):
    """The bars `[N + 1]` of a leg; the last one stands for none: nothing is earned on it.

    Ends are candidates of `h` or `l`, not of a mirrored leg's own multipliers. A bar that has fewer than others is
    filled up with infinity for `h` and minus infinity for `l`.
    """

    mirrored: bool
    upper_clip: tuple[float, float]
    lower_clip: tuple[float, float]
    upper_ends: Floats  # [N + 1, E] where profit may be best along the upper level
    lower_ends: Floats  # [N + 1, E] and along the lower one, a step inside
    jumps: Floats  # [N + 1, E] the same without the step, where profit may jump
    numbers: Floats  # [N + 1, 6] moves of the lower and the upper level, low, open, at_level, per_lower
    lower_edges: Floats  # [N + 1, Q]
    shares: Floats  # [N + 1, 2 + 2 * P, Q + 1] of lines: where they start, how long they are, P shares there, P slopes
    upper_edges: Floats  # [N + 1, P]
    values: Floats  # [N + 1, 2 + 2 * P, P + 1] the same of values

    @classmethod
    def of(cls, leg: Leg, bounds: Bounds, step: float) -> LegTable:
        """The table of a leg `[N]`."""
        profit = LegProfit.of(leg.map(lambda array: array[:, None]), *bounds, TUNING)
        way = -1.0 if leg.mirrored else 1.0
        numbers = (leg.lower_move, leg.upper_move, leg.low, leg.open, leg.at_level, leg.per_lower)
        never = np.array([0.0, 0.0, np.inf, 0.0, 0.0, 0.0])
        return cls(
            leg.mirrored,
            leg.upper_clip,
            leg.lower_clip,
            upper_ends=_ends(profit.upper_ends(step), way, way * np.inf),
            lower_ends=_ends(profit.lower_ends(step), way, -way * np.inf),
            jumps=_ends(profit.lower_ends(0.0, jumps_alone=True), way, -way * np.inf),
            numbers=np.concatenate([np.stack(numbers, axis=1), never[None]]),
            lower_edges=_with_none(leg.lower_edges),
            shares=_with_none(_shares(leg)),
            upper_edges=_with_none(leg.upper_edges),
            values=_with_none(_values(leg)),
        )

    @property
    def parts(self) -> tuple[Floats, ...]:
        """The parts of a row, in the order of the fields."""
        ends = (self.upper_ends, self.lower_ends, self.jumps)
        return (*ends, self.numbers, self.lower_edges, self.shares, self.upper_edges, self.values)

    def rows(self) -> Floats:
        """All parts of a bar side by side, `[N + 1, C]`."""
        return np.concatenate([part.reshape(len(part), -1) for part in self.parts], axis=1)

    @property
    def width(self) -> int:
        """C, how many numbers a bar has."""
        return sum(part[0].size for part in self.parts)


def count_ends(ends: Floats) -> Counts:
    """How many ends `[N]` each bar of a table `[N + 1, E]` has."""
    count: Counts = np.isfinite(ends[:-1]).sum(1)
    return count


def _ends(x: Floats, way: float, none: float) -> Floats:
    """Ends `[N, E]` of a leg's own multiplier, infinite where there is none, as columns of a table."""
    x = np.sort(x, axis=1)
    x = x[:, : int(np.isfinite(x).sum(1).max(initial=0))]
    table = np.full((len(x) + 1, x.shape[1]), none)
    table[:-1] = np.where(np.isfinite(x), way * x, none)
    return table


def _with_none(x: Floats) -> Floats:
    return np.concatenate([x, np.zeros_like(x, shape=(1, *x.shape[1:]))])


def _no_lines(leg: Leg, edges: int) -> tuple[Floats, Floats, Floats]:
    """Lines of nothing between `edges`, all of them, and of these where they start and their slopes, by upper edge."""
    count, uppers, _ = leg.weight.shape
    lines = np.zeros((count, 2 + 2 * uppers, edges + 1))
    lines[:, 1] = np.inf
    return lines, lines[:, 2 : 2 + uppers], lines[:, 2 + uppers :]


def _shares(leg: Leg) -> Floats:
    """Lines along the lower level: nothing up to the first edge, and what the last one has beyond it."""
    lines, start, slope = _no_lines(leg, leg.weight.shape[2])
    start[:, :, 1:] = leg.weight
    if leg.interpolated:
        width = np.diff(leg.lower_edges, axis=1)
        lines[:, 0, 1:-1], lines[:, 1, 1:-1] = leg.lower_edges[:, :-1], width
        slope[:, :, 1:-1] = np.diff(leg.weight, axis=2) / _or_one(width)[:, None]
    return lines


def _values(leg: Leg) -> Floats:
    """Lines along the upper level: the first edge holds up to it, and nothing is worth anything beyond the last one."""
    uppers = leg.weight.shape[1]
    lines, start, slope = _no_lines(leg, uppers)
    within = np.arange(1 if leg.interpolated else uppers)
    start[:, within, within], slope[:, within, within] = leg.gain[:, None], leg.per_upper[:, None]
    if leg.interpolated:
        width = np.diff(leg.upper_edges, axis=1)
        worth = leg.gain[:, None] + leg.per_upper[:, None] * leg.upper_edges
        before, next = np.arange(uppers - 1), np.arange(1, uppers)
        lines[:, 0, next], lines[:, 1, next] = leg.upper_edges[:, :-1], width
        start[:, before, next] = worth[:, :-1]
        slope[:, before, next], slope[:, next, next] = -worth[:, :-1] / _or_one(width), worth[:, 1:] / _or_one(width)
    return lines


def _or_one(width: Floats) -> Floats:
    return np.where(width > 0, width, 1.0)
