"""One leg's profit over the multipliers `(h, l)`: where it may be best, on grids, and the most that it can be.

For short windows the grid of candidates is a matrix product, of bins begun along one axis and profit along the
other. For longer ones it is a prefix sum: along one axis the bars' bins are sorted by where they begin, and a running
sum over them is held for every candidate of the other axis, O(K^2) work for K candidates an axis. Entries depend on
one axis alone and are running sums of straight lines.

Private to surface.py, which sees one or two of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from operator import itemgetter
from typing import Any

from marketsim.execution.arrays import Array, count_below, numbers
from marketsim.execution.profit_terms import LEVEL_TIE, Leg, mirror
from marketsim.optimizers.exact.candidates import Axis, lines, make_axis, ordered

SHORT = 32  # bars x bins of a window for which a matrix product is quicker than running sums
LOSS = 1e-14  # a take-profit that loses no more by rounding
ROW = 1 << 9  # blocks along an axis of the problems that are bounded at once


@dataclass(frozen=True, slots=True)
class Side:
    """A leg of B problems and its two axes, in its own coordinates."""

    leg: Leg
    upper: Axis
    lower: Axis
    ends: Array  # [B, W, P] whether weights change where a bin of the upper axis ends
    begins: Array  # [B, W, Q] and where a bin of the lower axis begins

    @classmethod
    def of(cls, leg: Leg, h: tuple[float, float], l: tuple[float, float], xp: Any) -> Side:
        """The side of a leg `[B, W]`, within bounds of both multipliers."""
        along_upper, along_lower = (mirror(l), mirror(h)) if leg.mirrored else (h, l)
        upper = make_axis(leg.upper_move, leg.upper_clip, along_upper, xp)
        lower = make_axis(leg.lower_move, leg.lower_clip, along_lower, xp)
        weight = xp.permute_dims(leg.weight, (2, 3, 0, 1))
        weight = xp.reshape(xp.reshape(weight, (-1,)), weight.shape)  # in memory too: long rows are quicker to compare
        ends = xp.concat([xp.any(each, axis=1) for each in (weight[:-1] != weight[1:], weight[-1:] != 0)])
        begins = xp.concat([xp.any(each, axis=0) for each in (weight[:, :1] != 0, weight[:, 1:] != weight[:, :-1])])
        ends, begins = (xp.permute_dims(each, (1, 2, 0)) for each in (ends, begins))
        return cls(leg, upper, lower, ends, begins)

    @property
    def short(self) -> bool:
        """Whether the window has so few bars and bins that all at once is quicker than one after the other."""
        _, window, upper_bins, lower_bins = self.leg.weight.shape
        return bool(window * max(upper_bins, lower_bins) <= SHORT)

    def at(self, index: Any) -> Side:
        """The side of some problems."""
        leg = self.leg.map(itemgetter(index))
        return Side(leg, self.upper.at(index), self.lower.at(index), self.ends[index], self.begins[index])

    def upper_ends(self, step: float, xp: Any) -> Array:
        """Where profit may fall as the upper level rises, `[B, W * P]`, `step` before it."""
        return self.upper.meetings(self.leg.upper_edges, self.ends, -step, xp)

    def lower_ends(self, step: float, xp: Any) -> Array:
        """Where profit may jump as the lower level rises, `[B, W * (Q + 1)]`, `step` after it."""
        leg = self.leg
        begins = self.begins & (leg.lower_edges != leg.low[:, :, None])
        live = xp.concat([begins, (leg.per_lower != 0)[:, :, None]], axis=2)
        edges = xp.concat([leg.lower_edges, leg.low[:, :, None]], axis=2)
        return self.lower.meetings(edges, live, step, xp)

    def entry(self, at: Array, xp: Any) -> Array:
        """What the entries earn, closed at the close, at lower multipliers `at` `[B, K]`."""
        leg = self.leg
        if not self.short:
            return lines(self.lower, leg.low, leg.open, leg.at_level, leg.per_lower, at, xp)
        d = self.lower.level(at, xp)
        entry = leg.at_level[:, :, None] + leg.per_lower[:, :, None] * xp.minimum(d, leg.open[:, :, None])
        return xp.sum(xp.where(d - LEVEL_TIE > leg.low[:, :, None], entry, 0.0), axis=1)

    def grid(self, h: Array, l: Array, xp: Any) -> Array:
        """What take-profits earn on the grid `[B, K_l, K_h]`."""
        if self.short:
            mirrored = self.leg.mirrored
            grid = self._product(*((-l, -h) if mirrored else (h, l)), xp)
            return xp.permute_dims(grid, (0, 2, 1)) if mirrored else grid
        along, dense = self._own(h, l, xp)
        return self._turned(_Sums.of(self, dense, dense, xp).at(along, xp), xp)

    def _own(self, h: Array, l: Array, xp: Any) -> tuple[Array, Array]:
        """Candidates `[B, ...]` of the lower and, increasing, of the upper axis."""
        return (-h, xp.flip(-l, axis=tuple(range(1, l.ndim)))) if self.leg.mirrored else (l, h)

    def _turned(self, grid: Array, xp: Any) -> Array:
        """`[K_lower, B, K_upper]` of such candidates as `[B, K_l, K_h]`."""
        if self.leg.mirrored:
            return xp.permute_dims(xp.flip(grid, axis=2), (1, 2, 0))
        return xp.permute_dims(grid, (1, 0, 2))

    def _product(self, upper: Array, lower: Array, xp: Any) -> Array:
        """What take-profits earn on the grid `[B, K_lower, K_upper]`, as a matrix product: best for short windows."""
        leg = self.leg
        u, d = self.upper.level(upper, xp)[:, :, None, :], self.lower.level(lower, xp)[:, :, None, :]
        value = leg.gain[:, :, None, None] + leg.per_upper[:, :, None, None] * u
        begun = xp.astype(d - LEVEL_TIE > leg.lower_edges[..., None], u.dtype)
        earned = (u - LEVEL_TIE <= leg.upper_edges[..., None]) * value
        nothing = xp.zeros_like(leg.weight)
        falls = leg.weight - xp.concat([leg.weight[:, :, 1:], nothing[:, :, :1]], axis=2)
        change = falls - xp.concat([nothing[..., :1], falls[..., :-1]], axis=3)
        earned = xp.matmul(xp.permute_dims(change, (0, 1, 3, 2)), earned)
        begun, earned = (xp.reshape(a, (a.shape[0], -1, a.shape[3])) for a in (begun, earned))
        return xp.matmul(xp.permute_dims(begun, (0, 2, 1)), earned)

    def bounded(self, xp: Any) -> Array:
        """Of which problems `[B]` `most` is true: no weight rises with the upper level, nor falls to shed a loss."""
        leg = self.leg
        rises = xp.any(leg.weight[:, :, 1:] > leg.weight[:, :, :-1], axis=(1, 2, 3))
        value = leg.gain[:, :, None] + leg.per_upper[:, :, None] * leg.upper_edges
        return ~(rises | xp.any(self.ends & (value < -LOSS), axis=(1, 2)))

    def most(self, h: Array, l: Array, entry: Array, xp: Any) -> Array:
        """What the leg earns at most in each block of candidates `h` `[B, M, K]` and `l` `[B, N, K]`, as `[B, N, M]`.

        Take-profits count in the bin where the upper level begins, and at the level where it ends. `entry` is what
        entries earn at the candidates of the lower axis.
        """
        along, dense = self._own(h, l, xp)
        begin, end = xp.min(dense, axis=2), xp.max(dense, axis=2)
        size, most = max(1, ROW // dense.shape[1]), []
        for first in range(0, dense.shape[0], size):
            rows = slice(first, first + size)
            sums = _Sums.of(self.at(rows), begin[rows], end[rows], xp)
            earned = sums.at(along[rows], xp)
            earned += xp.permute_dims(entry[rows], (1, 2, 0))[..., None]
            most.append(xp.max(earned, axis=1))
        return self._turned(xp.concat(most, axis=1), xp)


@dataclass(frozen=True, slots=True)
class _Sums:
    """Running sums of the take-profits for K increasing upper multipliers, bin by bin along the lower axis."""

    x: Array  # [B, E] where along the lower axis bins begin, increasing, after an empty one
    bar: Array  # [E * B] whose bins they are, of all B * W
    change: Array  # [E * B, P + 1] of the weights, by bin of the upper axis
    lengths: Array  # [B * W, P + 1] how many of the K lie in each
    value: Array  # [B * W, K] what a weight of one earns

    @classmethod
    def of(cls, side: Side, begin: Array, end: Array, xp: Any) -> _Sums:
        """The sums at upper multipliers that are taken to be at `begin` `[B, K]` by weights, at `end` by the level."""
        leg = side.leg
        size, window, upper_bins, lower_bins = leg.weight.shape
        x = side.lower.places(leg.lower_edges, xp)
        begun = x == -xp.inf  # of the bins that begin below the bounds, the last one counts, and counts in full
        passed = xp.concat([begun[..., 1:], xp.zeros_like(begun[..., :1])], axis=2)
        x = xp.where(passed | ~(begun | side.begins), xp.inf, x)
        x, order = ordered(xp.reshape(x, (size, -1)), xp)
        x = xp.concat([xp.full_like(x[:, :1], -xp.inf), x], axis=1)
        order = xp.concat([xp.zeros_like(order[:, :1]), order], axis=1)
        place = order + numbers(size, order, xp)[:, None] * (window * lower_bins)
        place = xp.reshape(xp.permute_dims(place, (1, 0)), (-1,))
        after = (xp.reshape(xp.permute_dims(x, (1, 0)), (-1,)) > -xp.inf) & (place % lower_bins > 0)
        after = xp.astype(after, place.dtype)
        weight = xp.reshape(xp.permute_dims(leg.weight, (0, 1, 3, 2)), (-1, upper_bins))
        change = xp.take(weight, place, axis=0) - xp.take(weight, place - after, axis=0) * after[:, None]
        change[:size] = 0.0
        change = xp.concat([change, xp.zeros_like(change[:, :1])], axis=1)
        ends = xp.nextafter(side.upper.places(leg.upper_edges, xp), xp.asarray(xp.inf, device=x.device))
        ends = xp.reshape(count_below(begin, xp.reshape(ends, (size, -1)), xp), (-1, upper_bins))
        ends = xp.concat([xp.zeros_like(ends[:, :1]), ends, xp.full_like(ends[:, :1], begin.shape[1])], axis=1)
        value = side.upper.level(end, xp)
        value *= leg.per_upper[:, :, None]
        value += leg.gain[:, :, None]
        return cls(x, place // lower_bins, change, ends[:, 1:] - ends[:, :-1], xp.reshape(value, (-1, end.shape[1])))

    def at(self, along: Array, xp: Any) -> Array:
        """The sums at lower multipliers `along` `[B, ...]`, as `[..., B, K]`."""
        lengths = xp.take(self.lengths, self.bar, axis=0)
        earned = xp.take(self.value, self.bar, axis=0)
        earned *= xp.reshape(xp.repeat(xp.reshape(self.change, (-1,)), xp.reshape(lengths, (-1,))), earned.shape)
        earned = xp.reshape(earned, (self.x.shape[1], self.x.shape[0], -1))
        for before, sums in pairwise(earned):
            sums += before
        row = xp.reshape(count_below(self.x, xp.reshape(along, (along.shape[0], -1)), xp), along.shape) - 1
        return earned[xp.permute_dims(row, (*range(1, row.ndim), 0)), numbers(row.shape[0], row, xp)]
