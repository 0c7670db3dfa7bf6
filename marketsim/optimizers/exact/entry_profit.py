"""The profit of a leg's entries when closed at the close, which depends on one multiplier."""

from __future__ import annotations

from marketsim.execution.arrays import Array, count_below, namespace, pick
from marketsim.execution.profit_terms import LEVEL_TIE, Leg
from marketsim.optimizers.exact.shifted_level import ShiftedLevel


def entry_profit(leg: Leg, lower: ShiftedLevel, x: Array) -> Array:
    """Sums over bars `[B, K]` at lower multipliers `x` `[B, K]`, bar by bar: quicker for short windows."""
    xp = namespace(x)
    d = lower.at(x)
    entry = leg.at_level[:, :, None] + leg.per_lower[:, :, None] * xp.minimum(d, leg.open[:, :, None])
    return xp.sum(xp.where(d - LEVEL_TIE > leg.low[:, :, None], entry, 0.0), axis=1)


def entry_profit_by_lines(leg: Leg, lower: ShiftedLevel, x: Array) -> Array:
    """The same by running sums of straight lines: quicker for long windows.

    An entry begins with its level above the low, and falls with the level from the clip's start to the open or the
    clip's end: an offset and a rise for each piece, summed up along the multiplier.
    """
    xp = namespace(x)
    floor, ceiling = lower.clip
    top = xp.clip(leg.open, None, ceiling)
    begin = lower.passing(leg.low[:, :, None])[:, :, 0]
    slope = leg.per_lower
    bends = [
        (floor - lower.move, slope * (lower.move - floor), slope),
        (top - lower.move, slope * (top - lower.move), -slope),
    ]
    places, offsets, rises = [begin], [leg.at_level + slope * floor], [xp.zeros_like(begin)]
    for bend, gained, rise in bends:
        offsets[0] = offsets[0] + xp.where(bend <= begin, gained, 0.0)
        rises[0] = rises[0] + xp.where(bend <= begin, rise, 0.0)
        later = (bend > begin) & (bend < lower.bounds[1])
        if xp.any(later):
            places.append(xp.where(later, bend, xp.inf))
            offsets.append(gained)
            rises.append(rise)
    place, order = in_order(xp.concat(places, axis=1))
    steps = [pick(xp.concat(parts, axis=1), order) for parts in (offsets, rises)]
    sums = xp.cumulative_sum(xp.stack(steps, axis=2), axis=1, include_initial=True)
    sums = pick(sums, count_below(place, x))
    return sums[:, :, 0] + sums[:, :, 1] * x


def in_order(x: Array) -> tuple[Array, Array]:
    """Places `[B, E]` in order, with where they were, and without the last ones that no problem reaches."""
    xp = namespace(x)
    order = xp.argsort(x, axis=1)
    x = pick(x, order)
    width = max(1, int(xp.max(xp.count_nonzero(x < xp.inf, axis=1))))
    return x[:, :width], order[:, :width]
