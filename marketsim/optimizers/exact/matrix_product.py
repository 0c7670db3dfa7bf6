"""A leg's take-profits on small grids: matrix products over the edges of all bars' lattices."""

from __future__ import annotations

from marketsim.execution.arrays import Array, count_below, namespace
from marketsim.execution.profit_terms import LEVEL_TIE, Leg
from marketsim.optimizers.exact.running_sums import UpperLevels, spread
from marketsim.optimizers.exact.shifted_level import ShiftedLevel


def grid_by_product(leg: Leg, upper: ShiftedLevel, lower: ShiftedLevel, along: Array, dense: Array) -> Array:
    """The grid `[B, N, M]` of increasing lower multipliers `along` `[B, N]` and upper ones `dense` `[B, M]`."""
    xp = namespace(dense)
    if leg.interpolated:
        weight, earned = _weights(leg, lower, along), _by_edge(leg, upper, dense)
    else:
        weight, earned = _in_bins(leg, upper, lower, along, dense)
    weight, earned = (xp.reshape(a, (a.shape[0], -1, a.shape[3])) for a in (weight, earned))
    return xp.matmul(xp.permute_dims(weight, (0, 2, 1)), earned)


def _in_bins(leg: Leg, upper: ShiftedLevel, lower: ShiftedLevel, along: Array, dense: Array) -> tuple[Array, Array]:
    """Which bins are begun along the lower multiplier `[B, W, Q, N]`, and what they then change `[B, W, Q, M]`."""
    xp = namespace(dense)
    u, d = upper.at(dense)[:, :, None, :], lower.at(along)[:, :, None, :]
    begun = xp.astype(d - LEVEL_TIE > leg.lower_edges[..., None], u.dtype)
    earned = (u - LEVEL_TIE <= leg.upper_edges[..., None]) * (
        leg.gain[:, :, None, None] + leg.per_upper[:, :, None, None] * u
    )
    nothing = xp.zeros_like(leg.weight)
    falls = leg.weight - xp.concat([leg.weight[:, :, 1:], nothing[:, :, :1]], axis=2)
    change = falls - xp.concat([nothing[..., :1], falls[..., :-1]], axis=3)
    return begun, xp.matmul(xp.permute_dims(change, (0, 1, 3, 2)), earned)


def _weights(leg: Leg, lower: ShiftedLevel, along: Array) -> Array:
    """The weights `[B, W, P, N]` at upper edges, where the lower level is at multipliers `[B, N]`."""
    xp = namespace(along)
    size, window, upper_count, count = leg.weight.shape
    passing = xp.nextafter(lower.passing(leg.lower_edges), xp.asarray(xp.inf, device=along.device))
    ends = xp.reshape(count_below(along, xp.reshape(passing, (size, -1))), (-1, count))
    ends = xp.concat([xp.zeros_like(ends[:, :1]), ends, xp.full_like(ends[:, :1], along.shape[1])], axis=1)
    lengths = ends[:, 1:] - ends[:, :-1]
    shape = (size * window, along.shape[1])
    edges = xp.reshape(leg.lower_edges, (-1, count))
    begin, end = (
        spread(table, lengths, shape)
        for table in (xp.concat([edges[:, :1], edges], axis=1), xp.concat([edges, edges[:, -1:]], axis=1))
    )
    d = xp.reshape(lower.at(along), shape)
    width = end - begin
    part = xp.where(width > 0, (d - begin) / xp.where(width > 0, width, 1.0), 1.0)
    of_edge = []
    for p in range(upper_count):
        weight = xp.reshape(leg.weight[:, :, p], (-1, count))
        nothing = xp.zeros_like(weight[:, :1])
        before = spread(xp.concat([nothing, weight], axis=1), lengths, shape)
        rise = xp.concat([nothing, weight[:, 1:] - weight[:, :-1], nothing], axis=1)
        before += part * spread(rise, lengths, shape)
        of_edge.append(xp.reshape(before, (size, window, -1)))
    return xp.stack(of_edge, axis=2)


def _by_edge(leg: Leg, upper: ShiftedLevel, dense: Array) -> Array:
    """What a weight of one at each upper edge earns at multipliers `[B, M]`: `[B, W, P, M]`."""
    xp = namespace(dense)
    size, window, count, _ = leg.weight.shape
    levels = UpperLevels.of(leg, upper, dense)
    shape = (size, window, dense.shape[1])
    numbered = xp.broadcast_to(xp.arange(count + 1, device=dense.device), levels.lengths.shape)
    place = xp.reshape(spread(numbered, levels.lengths, levels.after.shape), shape)
    after, before = (xp.reshape(a, shape) for a in (levels.after, levels.before))
    edges = range(count)
    return xp.stack([(place == p) * after + ((place == p + 1) & (p + 1 < count)) * before for p in edges], axis=2)
