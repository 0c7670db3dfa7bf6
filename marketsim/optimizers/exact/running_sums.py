"""A leg's take-profits on grids, for long windows: running sums over the edges of its lattice.

Along the lower multiplier the edges of all bars are sorted by where their level passes them, and a sum over those that
are passed is held for every candidate of the upper multiplier: O(K^2) work for K candidates of either. On an
interpolated lattice what is taken is a line in the multiplier from edge to edge: two sums, of offsets and of slopes.
"""

from __future__ import annotations

from itertools import pairwise

from msgspec import Struct

from marketsim.execution.arrays import Array, count_below, namespace, numbers
from marketsim.execution.profit_terms import Leg
from marketsim.optimizers.exact.entry_profit import in_order
from marketsim.optimizers.exact.shifted_level import ShiftedLevel


class UpperLevels(Struct, frozen=True):
    """K increasing upper multipliers of B problems, by the bins of each of the `N = B * W` bars."""

    lengths: Array  # [N, P + 1] how many of the K lie in each bin; the last one is beyond all edges
    after: Array  # [N, K] what a weight of one earns that stands at the bin, or at the edge where it ends
    before: Array | None  # [N, K] the same at the edge where it begins; None on lattices of bins

    @classmethod
    def of(cls, leg: Leg, upper: ShiftedLevel, begin: Array, end: Array | None = None) -> UpperLevels:
        """Of multipliers `begin` `[B, K]`; with `end`, no less than is earned anywhere from `begin` to `end`.

        A weight never rises with the upper level, and what it earns never falls: so weights are those of where the
        level begins, and count for what they earn where it ends.
        """
        xp = namespace(begin)
        size, window, upper_edges, _ = leg.weight.shape
        passing = xp.nextafter(upper.passing(leg.upper_edges), xp.asarray(xp.inf, device=begin.device))
        ends = xp.reshape(count_below(begin, xp.reshape(passing, (size, -1))), (-1, upper_edges))
        ends = xp.concat([xp.zeros_like(ends[:, :1]), ends, xp.full_like(ends[:, :1], begin.shape[1])], axis=1)
        lengths = ends[:, 1:] - ends[:, :-1]
        gain, per_upper = (xp.reshape(a, (-1, 1)) for a in (leg.gain, leg.per_upper))

        def earned(level: Array) -> Array:
            return gain + per_upper * level

        u = xp.reshape(upper.at(begin), (size * window, -1))
        last = None if end is None else earned(xp.reshape(upper.at(end), u.shape))
        if not leg.interpolated:
            return cls(lengths, earned(u) if last is None else last, None)
        edges = xp.reshape(leg.upper_edges, (-1, upper_edges))
        edge_after = spread(xp.concat([edges, edges[:, -1:]], axis=1), lengths, u.shape)
        edge_before = spread(xp.concat([edges[:, :1], edges], axis=1), lengths, u.shape)
        width = edge_after - edge_before
        part = xp.where(width > 0, (u - edge_before) / xp.where(width > 0, width, 1.0), 1.0)
        if last is None:
            after, before = earned(xp.where(width > 0, edge_after, u)), earned(edge_before)
        else:
            after = before = last
        return cls(lengths, part * after, (1.0 - part) * before)


def spread(table: Array, lengths: Array, shape: tuple[int, int]) -> Array:
    """`[N, K]`: the values `[N, P + 1]` of bins at the multipliers that lie in them."""
    xp = namespace(table)
    table, lengths = xp.reshape(table, (-1,)), xp.reshape(lengths, (-1,))
    return xp.reshape(xp.repeat(table, lengths), shape)


class RunningSums(Struct, frozen=True):
    """What changes at each of E edges along the lower multiplier, at K upper ones."""

    place: Array  # [B, E] where edges are passed, increasing, after one at -inf where nothing changes
    bar: Array  # [E * B] whose edges they are, of all B * W
    offset: Array  # [E * B, P] change of the weights, by edge or bin of the upper level
    slope: Array | None  # [E * B, P] and of their slopes along the lower multiplier; None on lattices of bins
    upper: UpperLevels

    @classmethod
    def of(cls, leg: Leg, lower: ShiftedLevel, begins: Array, upper: UpperLevels) -> RunningSums:
        """The sums over the lower edges that matter, `begins` `[B, W, Q]`."""
        xp = namespace(leg.weight)
        size, window, upper_edges, count = leg.weight.shape
        place = lower.passing(leg.lower_edges)
        passed = place == -xp.inf  # of the edges that are passed at the lower bound, the last one counts in full
        hidden = xp.concat([passed[..., 1:], xp.zeros_like(passed[..., :1])], axis=2)
        place = xp.where(hidden | ~(passed | begins), xp.inf, place)
        place, order = in_order(xp.reshape(place, (size, -1)))
        place = xp.concat([xp.full_like(place[:, :1], -xp.inf), place], axis=1)
        order = xp.concat([xp.zeros_like(order[:, :1]), order], axis=1)
        edge = order + numbers(size, order)[:, None] * (window * count)
        edge = xp.reshape(xp.permute_dims(edge, (1, 0)), (-1,))
        later = xp.reshape(xp.permute_dims(place, (1, 0)), (-1,)) > -xp.inf
        later = xp.astype(later & (edge % count > 0), edge.dtype)
        weight = xp.reshape(xp.permute_dims(leg.weight, (0, 1, 3, 2)), (-1, upper_edges))
        here, before = (xp.take(weight, at, axis=0) for at in (edge, edge - later))
        if leg.interpolated:
            offset, slope = _lines(leg, lower, weight, here, before, edge, later)
            slope[:size] = 0.0
        else:
            offset, slope = here - before * later[:, None], None
        offset[:size] = 0.0
        return cls(place, edge // count, offset, slope, upper)

    def at(self, along: Array) -> Array:
        """The sums at lower multipliers `along` `[B, ...]`, as `[..., B, K]`."""
        xp = namespace(along)
        row = xp.reshape(count_below(self.place, xp.reshape(along, (along.shape[0], -1))), along.shape) - 1
        row = xp.permute_dims(row, (*range(1, row.ndim), 0))
        problem = numbers(row.shape[-1], row)
        sums = self._summed(self.offset)[row, problem]
        if self.slope is not None:
            x = xp.permute_dims(along, (*range(1, along.ndim), 0))
            sums += x[..., None] * self._summed(self.slope)[row, problem]
        return sums

    def _summed(self, change: Array) -> Array:
        """Running sums `[E, B, K]` of changes `[E * B, P]`."""
        xp = namespace(change)
        upper = self.upper
        lengths = xp.take(upper.lengths, self.bar, axis=0)
        earned = xp.take(upper.after, self.bar, axis=0)
        nothing = xp.zeros_like(change[:, :1])
        earned *= spread(xp.concat([change, nothing], axis=1), lengths, earned.shape)
        if upper.before is not None:
            at_begin = xp.concat([nothing, change[:, :-1], nothing], axis=1)
            earned += xp.take(upper.before, self.bar, axis=0) * spread(at_begin, lengths, earned.shape)
        earned = xp.reshape(earned, (self.place.shape[1], self.place.shape[0], -1))
        for before, sums in pairwise(earned):
            sums += before
        return earned


def _lines(
    leg: Leg, lower: ShiftedLevel, weight: Array, here: Array, before: Array, edge: Array, later: Array
) -> tuple[Array, Array]:
    """By how much the offset and the slope of the weights `[E, P]` change at edges, as lines in the multiplier."""
    xp = namespace(weight)
    count = leg.lower_edges.shape[2]
    edges = xp.reshape(leg.lower_edges, (-1,))
    final = xp.astype(edge % count == count - 1, edge.dtype)
    width_after, width_before = (
        xp.take(edges, edge + 1 - final) - xp.take(edges, edge),
        xp.take(edges, edge) - xp.take(edges, edge - later),
    )
    rises, risen = (width_after > 0)[:, None], (width_before > 0)[:, None]
    slope = xp.where(rises, (xp.take(weight, edge + 1 - final, axis=0) - here) / _or_one(width_after), 0.0)
    slope_before = xp.where(risen, (here - before) / _or_one(width_before), 0.0)
    jump = xp.where(risen, 0.0, here - before * later[:, None])
    place = xp.take(edges, edge) - xp.take(xp.reshape(lower.move, (-1,)), edge // count)
    change = slope - slope_before
    return jump - change * place[:, None], change


def _or_one(width: Array) -> Array:
    """Widths `[E]` as a column, 1 where there is none."""
    return namespace(width).where(width > 0, width, 1.0)[:, None]
