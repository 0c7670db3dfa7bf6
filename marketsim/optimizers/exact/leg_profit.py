"""One leg's profit over the multipliers `(h, l)`: candidates for its maximum, values on grids, upper bounds."""

from __future__ import annotations

from operator import itemgetter
from typing import Any

from msgspec import Struct

from marketsim.execution.arrays import Array, namespace
from marketsim.execution.profit_terms import Leg, mirror
from marketsim.optimizers.exact.entry_profit import entry_profit, entry_profit_by_lines
from marketsim.optimizers.exact.matrix_product import grid_by_product
from marketsim.optimizers.exact.running_sums import RunningSums, UpperLevels
from marketsim.optimizers.exact.shifted_level import ShiftedLevel
from marketsim.optimizers.exact.tuning import Tuning

LOSS = 1e-14  # a take-profit that loses no more by rounding
FLAT = 1e-9  # a bend of less, in profit by level, is none


class LegProfit(Struct, frozen=True):
    """A leg of B problems and its two levels, in its own coordinates."""

    leg: Leg
    upper: ShiftedLevel
    lower: ShiftedLevel
    upper_matters: Array  # [B, W, P] whether profit changes its course at an upper edge
    lower_matters: Array  # [B, W, Q] and at a lower one
    lower_peaks: Array  # [B, W, Q] whether it may be best there
    tuning: Tuning

    @classmethod
    def of(cls, leg: Leg, h: tuple[float, float], l: tuple[float, float], tuning: Tuning) -> LegProfit:
        """The profit of a leg `[B, W]`, within bounds of both multipliers."""
        along_upper, along_lower = (mirror(l), mirror(h)) if leg.mirrored else (h, l)
        upper = ShiftedLevel.of(leg.upper_move, leg.upper_clip, along_upper)
        lower = ShiftedLevel.of(leg.lower_move, leg.lower_clip, along_lower)
        return cls(leg, upper, lower, *_edges_that_matter(leg), tuning)

    @property
    def short_window(self) -> bool:
        """Whether the window has so few bars and edges that all at once is quicker than one after the other."""
        _, window, *edges = self.leg.weight.shape
        return bool(window * max(edges) <= self.tuning.product)

    @property
    def placed(self) -> Array:
        """Of which problems `[B]` any bar has this leg."""
        return namespace(self.leg.low).any(self.leg.per_lower != 0, axis=1)

    def of_problems(self, index: Any) -> LegProfit:
        """The profit of some problems."""
        return LegProfit(
            self.leg.map(itemgetter(index)),
            self.upper.of_problems(index),
            self.lower.of_problems(index),
            self.upper_matters[index],
            self.lower_matters[index],
            self.lower_peaks[index],
            self.tuning,
        )

    def upper_ends(self, step: float) -> Array:
        """Where profit may fall as the upper level rises, `[B, W * P]`, and `step` before where it may jump."""
        edges, xp = self.leg.upper_edges, namespace(self.leg.upper_edges)
        jumps = xp.ones_like(self.upper_matters)
        if self.leg.interpolated:
            jumps = xp.concat([edges[:, :, 1:] == edges[:, :, :-1], jumps[:, :, :1]], axis=2)
        return self.upper.meeting(edges, self.upper_matters, xp.astype(jumps, edges.dtype) * -step)

    def lower_ends(self, step: float, jumps_alone: bool = False) -> Array:
        """Where profit may rise as the lower level does, `[B, W * (Q + 1)]`, moved by `step` where it may jump."""
        leg, xp = self.leg, namespace(self.leg.low)
        live, entering = self.lower_peaks & (leg.lower_edges != leg.low[:, :, None]), leg.per_lower != 0
        jumps = xp.ones_like(live)
        if leg.interpolated:
            jumps = xp.concat([jumps[:, :, :1], leg.lower_edges[:, :, 1:] == leg.lower_edges[:, :, :-1]], axis=2)
        if jumps_alone:
            live = live & jumps
        live, jumps = (xp.concat([a, entering[:, :, None]], axis=2) for a in (live, jumps))
        edges = xp.concat([leg.lower_edges, leg.low[:, :, None]], axis=2)
        return self.lower.meeting(edges, live, xp.astype(jumps, edges.dtype) * step)

    def entry(self, x: Array) -> Array:
        """What the entries earn, closed at the close, at lower multipliers `x` `[B, K]`."""
        return (entry_profit if self.short_window else entry_profit_by_lines)(self.leg, self.lower, x)

    def grid(self, h: Array, l: Array) -> Array:
        """What take-profits earn on the grid `[B, K_l, K_h]`."""
        along, dense = self._own(h, l)
        if self.short_window or self.leg.interpolated:
            along = along if not self.leg.mirrored else namespace(h).flip(along, axis=1)
            grid = grid_by_product(self.leg, self.upper, self.lower, along, dense)
            grid = grid if not self.leg.mirrored else namespace(h).flip(grid, axis=1)
            return self._turned(namespace(h).permute_dims(grid, (1, 0, 2)))
        upper = UpperLevels.of(self.leg, self.upper, dense)
        return self._turned(RunningSums.of(self.leg, self.lower, self.lower_matters, upper).at(along))

    def bounded(self) -> Array:
        """Of which problems `[B]` `most` is true: no weight rises with the upper level, nor falls to shed a loss."""
        leg, xp = self.leg, namespace(self.leg.low)
        rises = xp.any(leg.weight[:, :, 1:] > leg.weight[:, :, :-1], axis=(1, 2, 3))
        value = leg.gain[:, :, None] + leg.per_upper[:, :, None] * leg.upper_edges
        return ~(rises | xp.any(self.upper_matters & (value < -LOSS), axis=(1, 2)))

    def most(self, h: Array, l: Array, entry: Array) -> Array:
        """What the leg earns at most in each block of candidates `h` `[B, M, K]` and `l` `[B, N, K]`, as `[B, N, M]`.

        `entry` is what entries earn at the candidates of the lower multiplier.
        """
        xp = namespace(h)
        along, dense = self._own(h, l)
        begin, end = xp.min(dense, axis=2), xp.max(dense, axis=2)
        size, most = max(1, self.tuning.blocks_row // dense.shape[1]), []
        for first in range(0, dense.shape[0], size):
            rows = slice(first, first + size)
            some = self.of_problems(rows)
            upper = UpperLevels.of(some.leg, some.upper, begin[rows], end[rows])
            earned = RunningSums.of(some.leg, some.lower, some.lower_matters, upper).at(along[rows])
            earned += xp.permute_dims(entry[rows], (1, 2, 0))[..., None]
            most.append(xp.max(earned, axis=1))
        return self._turned(xp.concat(most, axis=1))

    def _own(self, h: Array, l: Array) -> tuple[Array, Array]:
        """Candidates `[B, ...]` of the lower and, increasing, of the upper multiplier."""
        if not self.leg.mirrored:
            return l, h
        return -h, namespace(l).flip(-l, axis=tuple(range(1, l.ndim)))

    def _turned(self, grid: Array) -> Array:
        """`[K_lower, B, K_upper]` of such candidates as `[B, K_l, K_h]`."""
        xp = namespace(grid)
        if self.leg.mirrored:
            return xp.permute_dims(xp.flip(grid, axis=2), (1, 2, 0))
        return xp.permute_dims(grid, (1, 0, 2))


def _edges_that_matter(leg: Leg) -> tuple[Array, Array, Array]:
    """Where profit changes course, by upper edge `[B, W, P]` and lower edge `[B, W, Q]`, and at which it may peak."""
    xp = namespace(leg.weight)
    weight = xp.permute_dims(leg.weight, (2, 3, 0, 1))
    weight = xp.reshape(xp.reshape(weight, (-1,)), weight.shape)  # in memory too: long rows are quicker to compare
    if leg.interpolated:
        return _bends(leg, weight)
    upper = xp.concat([xp.any(changed, axis=1) for changed in (weight[:-1] != weight[1:], weight[-1:] != 0)])
    lower = xp.concat([xp.any(changed, axis=0) for changed in (weight[:, :1] != 0, weight[:, 1:] != weight[:, :-1])])
    upper, lower = (xp.permute_dims(matters, (1, 2, 0)) for matters in (upper, lower))
    return upper, lower, lower


def _bends(leg: Leg, weight: Array) -> tuple[Array, Array, Array]:
    """The same of an interpolated lattice with weights `[P, Q, B, W]`.

    A sum of lines has no peak where it bends upwards: what is taken does so along most lower edges, and an entry that
    stops to get dearer, at the open or where the clip begins, does too.
    """
    xp = namespace(weight)
    upper, lower = (xp.permute_dims(edges, (2, 0, 1)) for edges in (leg.upper_edges, leg.lower_edges))
    placed = xp.any(weight != 0, axis=(0, 1))[None]
    jumps = xp.any(weight[:, 1:] != weight[:, :-1], axis=0) & (lower[1:] == lower[:-1])
    wide = lower[1:] > lower[:-1]
    upper_matters = xp.concat([placed, placed & (upper[1:] > upper[:-1])])
    lower_matters = xp.concat([placed, placed & (wide | jumps)])
    taken = weight * (leg.gain + leg.per_upper * upper)[:, None]
    slope = xp.where(wide, (taken[:, 1:] - taken[:, :-1]) / xp.where(wide, lower[1:] - lower[:-1], 1.0), 0.0)
    bend = slope[:, 1:] - slope[:, :-1] - xp.where(lower[1:-1] == lower[-1:], leg.per_lower, 0.0)
    falls = xp.any(bend < -FLAT, axis=0)
    peaks = xp.concat([falls & wide[:-1], xp.zeros_like(falls[:1])]) | jumps
    peaks = lower_matters & xp.concat([placed & False, peaks])
    return tuple(xp.permute_dims(matters, (1, 2, 0)) for matters in (upper_matters, lower_matters, peaks))
