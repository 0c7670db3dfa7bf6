"""The best point on the floor's line, where the levels of the traded bar are as close as allowed.

Along it `h - l` stays the same and both levels of every bar move together. From breakpoint to breakpoint a bar's profit
is linear, and on an interpolated lattice, where what is taken is linear in either level, quadratic. So is the sum over
bars, whose maximum is at an end of a piece or at the vertex in between.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.arrays import count_edges, pick
from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import LEVEL_TIE, Leg, ProfitTerms
from marketsim.optimizers.exact.candidates import Bounds

Floats = NDArray[np.float64]

JUMP = 1e-12  # profit that no rounding makes: profit jumps there
NARROW = 1e-12  # a piece that has no inside: what counts as a touch is as wide
TOGETHER = 1 << 18  # candidates x bars that are priced at once, about: it bounds memory


class Quadratic(Struct, frozen=True):
    """`constant + slope * z + bend * z**2`, arrays of one shape."""

    constant: Floats
    slope: Floats
    bend: Floats

    @classmethod
    def of(cls, coefficients: Floats) -> Quadratic:
        """Of coefficients along the last axis."""
        return cls(*np.moveaxis(coefficients, -1, 0))

    def at(self, z: Floats) -> Floats:
        """The values at `z`."""
        value: Floats = self.constant + z * (self.slope + z * self.bend)
        return value

    def stacked(self) -> Floats:
        """The coefficients along a last axis."""
        return np.stack(np.broadcast_arrays(self.constant, self.slope, self.bend), axis=-1)


class LegOnLine(Struct, frozen=True):
    """What all bars of a leg earn together along the lines of B problems, in `z = l - first`."""

    start: Floats  # [B, 3] coefficients at the start
    problem: NDArray[np.int64]  # [N] to which of them each of the breakpoints belongs
    place: Floats  # [N] where it is
    change: Floats  # [N, 3] by how much the coefficients change there


def best_on_line(terms: ProfitTerms, bounds: Bounds, floor: Floor, step: float) -> tuple[Floats, Floats, Floats]:
    """The best `h`, `l` and profit, each `[B]`, on the lines of the floors; -inf where a line lies out of bounds.

    Candidates step `step` inside a piece where profit jumps at its end.
    """
    _, window, *edges = terms.legs[0].weight.shape
    jumps = len(terms.legs) * window if len(terms.legs) > 1 else 1  # bars at whose edges candidates may be
    size = max(1, TOGETHER // (window * jumps * sum(edges)))
    some = [slice(start, start + size) for start in range(0, len(terms), size)]
    found = [_best_on_lines(terms.at(rows), bounds, floor.at(rows), step) for rows in some]
    h, l, profit = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return h, l, profit


def _best_on_lines(terms: ProfitTerms, bounds: Bounds, floor: Floor, step: float) -> tuple[Floats, Floats, Floats]:
    """`best_on_line` of few problems."""
    first, last = floor.line(bounds)
    there = last > first
    last = np.maximum(first, last)
    z = _candidates([_on_line(leg, first, last, floor.offset) for leg in terms.legs], last - first, step)
    l = first[:, None] + z
    h, l = (np.clip(x, *within) for x, within in zip((l + floor.offset[:, None], l), bounds, strict=True))
    found = evaluate(terms, h, l)
    at = np.argmax(found, axis=1)[:, None]
    h, l, found = (pick(array, at)[:, 0] for array in (h, l, found))
    return h, l, np.where(there, found, -np.inf)


def _candidates(legs: Sequence[LegOnLine], length: Floats, step: float) -> Floats:
    """Where profit may be greatest, `[B, K]`: inside the best piece, at both ends of the line, and on jumps.

    On a jump where one leg ends and another begins the place itself may be best.
    """
    place, change = _side_by_side(legs, length)
    start = np.sum([leg.start for leg in legs], axis=0)[:, None]
    profit = Quadratic.of(np.concatenate([start, start + np.cumsum(change, axis=1)], axis=1))
    jumps = np.abs(Quadratic.of(change).at(place)) > JUMP
    shared = np.diff(place, axis=1) <= NARROW  # of breakpoints in one place, any may be the jump
    jumps |= np.pad(shared, [(0, 0), (1, 0)]) | np.pad(shared, [(0, 0), (0, 1)])
    ends = np.concatenate([np.zeros_like(length)[:, None], place, length[:, None]], axis=1)
    margins = np.pad(np.where(jumps, step, 0.0), [(0, 0), (1, 1)], constant_values=step)
    z = [_best_inside(profit, ends[:, :-1], ends[:, 1:], margins[:, :-1], margins[:, 1:]), ends[:, :1], ends[:, -1:]]
    if len(legs) > 1:
        touching = np.sort(np.where(jumps, place, 0.0), axis=1)
        z.append(touching[:, touching.shape[1] - int(jumps.sum(1).max(initial=0)) :])
    return np.concatenate(z, axis=1)


def _side_by_side(legs: Sequence[LegOnLine], length: Floats) -> tuple[Floats, Floats]:
    """The breakpoints `[B, N]` of all legs, increasing, and the changes `[B, N, 3]` there.

    Those of problems with fewer are filled up at the end of the line, where nothing changes.
    """
    problem, place, change = (
        np.concatenate(parts) for parts in zip(*((leg.problem, leg.place, leg.change) for leg in legs), strict=True)
    )
    order = np.lexsort((place, problem))
    problem = problem[order]
    counts = np.bincount(problem, minlength=len(length))
    at = np.arange(len(problem)) - np.repeat(np.cumsum(counts) - counts, counts)
    places = np.repeat(length[:, None], 1 + counts.max(), axis=1)
    changes = np.zeros((*places.shape, 3))
    places[problem, at], changes[problem, at] = place[order], change[order]
    return places, changes


def _best_inside(profit: Quadratic, begin: Floats, end: Floats, after: Floats, before: Floats) -> Floats:
    """The best place `[B, 1]` of all pieces `[B, N]` from `begin` to `end`, which keep margins at both ends."""
    half = (end - begin) / 2
    low, high = begin + np.minimum(after, half), end - np.minimum(before, half)
    curved = profit.bend < 0
    vertex = np.where(curved, profit.slope / np.where(curved, -2 * profit.bend, 1.0), low)
    z = np.stack([low, np.clip(vertex, low, high), high])
    worth = np.where(end - begin > NARROW, profit.at(z), -np.inf)
    z, worth = (np.concatenate(list(parts), axis=1) for parts in (z, worth))
    best: Floats = pick(z, np.argmax(worth, axis=1)[:, None])
    return best


def _on_line(leg: Leg, first: Floats, last: Floats, offset: Floats) -> LegOnLine:
    """A leg from `l = first` to `last`, each `[B]`."""
    sign = -1.0 if leg.mirrored else 1.0
    start, stop = (-last, -first) if leg.mirrored else (first, last)
    upper_move = leg.upper_move if leg.mirrored else leg.upper_move + offset[:, None]
    lower_move = leg.lower_move - offset[:, None] if leg.mirrored else leg.lower_move
    ends, counts = _ends(leg, upper_move, lower_move, start, stop)
    bar, piece = np.nonzero(np.arange(ends.shape[1] - 1) <= counts[:, None])
    problem, origin = bar // leg.low.shape[1], sign * first
    middle = (ends[bar, piece + 1] + ends[bar, piece]) / 2
    profit = _profits(leg, bar, (upper_move, lower_move), middle, origin[problem]).stacked()
    opening = piece == (counts[bar] if leg.mirrored else 0)
    breaks = np.flatnonzero(piece)
    if leg.mirrored:  # from the last breakpoint of a bar to its first
        breaks = breaks[np.lexsort((-piece[breaks], bar[breaks]))]
    place = sign * (ends[bar[breaks], piece[breaks]] - origin[problem[breaks]])
    change = sign * (profit[breaks] - profit[breaks - 1]) * [1.0, sign, 1.0]
    begins = (profit[opening] * [1.0, sign, 1.0]).reshape(*leg.low.shape, 3)
    return LegOnLine(begins.sum(1), problem[breaks], place, change)


def _ends(
    leg: Leg, upper_move: Floats, lower_move: Floats, start: Floats, stop: Floats
) -> tuple[Floats, NDArray[np.int64]]:
    """Where the pieces of the bars begin and end, `[B * W, E + 2]`, filled up with `stop`; and how many breakpoints
    each bar has, `[B * W]`: that are places where its profit changes its course.
    """
    upper_clip, lower_clip = (np.broadcast_to(clip, (*leg.low.shape, 2)) for clip in (leg.upper_clip, leg.lower_clip))
    upper = np.concatenate([leg.upper_edges, upper_clip], axis=2)
    lower = np.concatenate([leg.lower_edges, lower_clip, leg.low[..., None], leg.open[..., None]], axis=2)
    x = np.concatenate([upper - upper_move[..., None], lower - lower_move[..., None]], axis=2)
    inside = (x > start[:, None, None]) & (x < stop[:, None, None])
    x = np.sort(np.where(inside, x, stop[:, None, None]), axis=2)
    counts = inside.sum(2).ravel()
    begin, end = (np.repeat(ends, leg.low.shape[1])[:, None] for ends in (start, stop))
    between = x.reshape(len(counts), -1)[:, : int(counts.max(initial=0))]
    return np.concatenate([begin, between, end], axis=1), counts


def _profits(
    leg: Leg, bar: NDArray[np.int64], moves: tuple[Floats, Floats], middle: Floats, origin: Floats
) -> Quadratic:
    """What bars `[N]` earn on the pieces around `middle` `[N]`, in the distance from `origin` `[N]`."""
    (u, u_at, u_rises), (d, d_at, d_rises) = (
        _level(move.take(bar), clip, middle, origin)
        for move, clip in zip(moves, (leg.upper_clip, leg.lower_clip), strict=True)
    )
    low, opened, per_lower, per_upper = (array.take(bar) for array in (leg.low, leg.open, leg.per_lower, leg.per_upper))
    entered, at_level = d - LEVEL_TIE > low, d < opened
    paid = np.where(at_level, d_at, opened)
    entry = Quadratic(leg.at_level.take(bar) + per_lower * paid, per_lower * (at_level * d_rises), 0.0 * u)
    value, rise = leg.gain.take(bar) + per_upper * u_at, per_upper * u_rises
    p, q = (
        count_edges(edges.reshape(leg.low.size, -1)[bar], level - LEVEL_TIE)
        for edges, level in ((leg.upper_edges, u), (leg.lower_edges, d))
    )
    taken = (p < leg.weight.shape[2]) & (q > 0)
    if leg.interpolated:
        part = _between_edges(leg, bar, (p, u_at, u_rises), (q, d_at, d_rises), (value, rise))
    else:
        weight = _weight(leg, bar, np.minimum(p, leg.weight.shape[2] - 1), np.maximum(q - 1, 0))
        part = Quadratic(weight * value, weight * rise, 0.0 * u)
    both = ((entry.constant, part.constant), (entry.slope, part.slope), (entry.bend, part.bend))
    return Quadratic(*(np.where(entered, a, 0.0) + np.where(taken, b, 0.0) for a, b in both))


def _level(move: Floats, clip: tuple[float, float], middle: Floats, origin: Floats) -> tuple[Floats, Floats, Floats]:
    """A level in the middle of a piece, and as a line: where it is at the origin, and whether it rises."""
    level = move + middle
    rises = (clip[0] < level) & (level < clip[1])
    level = np.clip(level, *clip)
    return level, np.where(rises, move + origin, level), rises.astype(float)


def _between_edges(
    leg: Leg,
    bar: NDArray[np.int64],
    upper: tuple[NDArray[np.int64], Floats, Floats],
    lower: tuple[NDArray[np.int64], Floats, Floats],
    value: tuple[Floats, Floats],
) -> Quadratic:
    """What is taken on an interpolated lattice.

    A level is the edges that it passed, where it starts and how it rises; `value` is what a weight of one earns.
    """
    (p, u_at, u_rises), (q, d_at, d_rises) = upper, lower
    above, below = np.minimum(p, leg.weight.shape[2] - 1), np.maximum(p - 1, 0)
    after, before = np.minimum(q, leg.weight.shape[3] - 1), np.maximum(q - 1, 0)
    along_at, along_rise = _share(leg.lower_edges, bar, before, after, d_at, d_rises)
    up_at, up_rise = _share(leg.upper_edges, bar, below, above, u_at, u_rises)

    def weight(edge: NDArray[np.int64]) -> tuple[Floats, Floats]:
        """Weights at an upper edge, as a line."""
        start, stop = _weight(leg, bar, edge, before), _weight(leg, bar, edge, after)
        return start + along_at * (stop - start), along_rise * (stop - start)

    (w_above, w_above_rise), (w_below, w_below_rise) = weight(above), weight(below)
    at_above, at_below = (
        leg.gain.take(bar) + leg.per_upper.take(bar) * _taken_along(leg.upper_edges, bar, edge)
        for edge in (above, below)
    )
    start, start_rise = w_below * at_below, w_below_rise * at_below
    more, more_rise = w_above * at_above - start, w_above_rise * at_above - start_rise
    between = (start + up_at * more, start_rise + up_at * more_rise + up_rise * more, up_rise * more_rise)
    first = (w_above * value[0], w_above_rise * value[0] + w_above * value[1], w_above_rise * value[1])
    return Quadratic(*(np.where(p == 0, a, b) for a, b in zip(first, between, strict=True)))


def _share(
    edges: Floats,
    bar: NDArray[np.int64],
    before: NDArray[np.int64],
    after: NDArray[np.int64],
    at: Floats,
    rises: Floats,
) -> tuple[Floats, Floats]:
    """How far a level is from one edge to the next, as a line; all the way where they are one."""
    start, stop = _taken_along(edges, bar, before), _taken_along(edges, bar, after)
    wide = stop > start
    width = np.where(wide, stop - start, 1.0)
    return np.where(wide, (at - start) / width, 1.0), np.where(wide, rises / width, 0.0)


def _taken_along(edges: Floats, bar: NDArray[np.int64], index: NDArray[np.int64]) -> Floats:
    found: Floats = edges.take(bar * edges.shape[2] + index)
    return found


def _weight(leg: Leg, bar: NDArray[np.int64], p: NDArray[np.int64], q: NDArray[np.int64]) -> Floats:
    _, _, upper, lower = leg.weight.shape
    found: Floats = leg.weight.take((bar * upper + p) * lower + q)
    return found
