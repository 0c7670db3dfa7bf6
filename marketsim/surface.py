"""Profit over the multipliers `(h, l)`: evaluate many candidates, and find the exact maximum, batched.

Inside a cell of the arrangement of all bars' lattices (fills.py) profit never falls in `h` nor rises in `l`, so
its supremum sits at the upper end of the cell in `h` and at its lower end in `l`. Those ends are known: where
a level meets an edge, and the bounds. Enumerating them finds the global maximum.

For short windows the grid of candidates is a matrix product, of bins begun along one axis and profit along the
other. For long ones it is a prefix sum: along one axis the bars' bins are sorted by where they begin, and a running
sum over them is held for every candidate of the other axis, O(K^2) work for K candidates an axis. Entries depend on
one axis alone and are running sums of straight lines.

Written against the array API: numpy arrays and torch tensors, on any device, take the same lines.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from marketsim.axis import Array, Axis, candidates, count_below, lines, make_axis, namespace, ordered, pick
from marketsim.fills import Leg, ProfitTerms, mirror
from marketsim.profiling import part

STEP = 1e-7  # inside an open side, so that float32 attains what float64 claims
FINE = 1e-12  # the same where float64 is enough
TIE = 1e-12  # profits this close are equal, in whatever order a machine added them
SMALL = 1 << 11  # bars x bins of all problems that are quicker together
CELLS = 1 << 17  # problems x candidates at once: their sums then stay in a processor's cache
GRID = 1 << 22  # cells at once where whole grids are held, 32 MB
FEW = 1 << 17  # cells of a grid that is quicker in one piece
KEPT = 32  # times that rows of a grid are kept before the beaten ones go
SHORT = 32  # bars x bins of a window for which a matrix product is quicker than running sums

Bounds = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best multipliers of B problems, and the profit that they attain when evaluated again."""

    high_multiplier: Array  # [B]
    low_multiplier: Array  # [B]
    profit: Array  # [B], sum over the window, in fractions of the origins' closes
    fallbacks: int = 0  # problems that a search gave up on and another one finished


def evaluate(terms: ProfitTerms, h: Array, l: Array) -> Array:
    """Profit `[B, K]` of candidates `(h, l)`, each `[B, K]` (or `[1, K]` for all), on terms `[B, W]`."""
    xp = namespace(h)
    with part("evaluate", terms.legs[0].low.shape[0] * h.shape[1]):
        profits = (_earned(leg, -l, -h, xp) if leg.mirrored else _earned(leg, h, l, xp) for leg in terms.legs)
        return sum(xp.sum(each, axis=-1) for each in profits)


def _earned(leg: Leg, h: Array, l: Array, xp: Any) -> Array:
    """Profit `[B, K, W]` of each bar, in the leg's own coordinates."""
    u = xp.clip(leg.upper_move[:, None, :] + h[:, :, None], *leg.upper_clip)
    d = xp.clip(leg.lower_move[:, None, :] + l[:, :, None], *leg.lower_clip)
    entry = leg.at_level[:, None, :] + leg.per_lower[:, None, :] * xp.minimum(d, leg.open[:, None, :])
    p = xp.count_nonzero(u[..., None] > leg.upper_edges[:, None], axis=-1)
    q = xp.count_nonzero(d[..., None] > leg.lower_edges[:, None], axis=-1)
    b, m = xp.arange(leg.weight.shape[0])[:, None, None], xp.arange(leg.weight.shape[1])[None, None, :]
    last = leg.weight.shape[2] - 1
    weight = xp.where((p <= last) & (q > 0), leg.weight[b, m, xp.clip(p, 0, last), xp.clip(q, 1, None) - 1], 0.0)
    target = weight * (leg.gain[:, None, :] + leg.per_upper[:, None, :] * u)
    return xp.where(d > leg.low[:, None, :], entry, 0.0) + target


def maximise(terms: ProfitTerms, bounds: Bounds, step: float = STEP) -> Optimum:
    """The exact maximum of every problem `[B, W]` for `bounds = ((h_min, h_max), (l_min, l_max))`.

    Candidates step `step` inside their cell. Ties go to the smaller `|h| + |l|`; (0, 0), or the point of the
    bounds nearest to it, is always a candidate.
    """
    xp = namespace(terms.legs[0].low)
    every, terms = terms, _placed(terms, xp)
    shape = terms.legs[0].weight.shape
    h, l = (xp.zeros_like(terms.legs[0].low[:, 0]) for _ in range(2))
    aiming = xp.any(xp.stack([xp.any(leg.weight != 0, axis=(1, 2, 3)) for leg in terms.legs]), axis=0)
    groups = [(aiming | ~aiming, terms)]
    if math.prod(shape) > SMALL:  # then problems without take-profits, which need fewer arrays, are worth a pass
        groups = [(aiming, terms), (~aiming, ProfitTerms(tuple(_one_bin(leg) for leg in terms.legs)))]
    for group, some in groups:
        members = xp.nonzero(group)[0]
        _, window, *bins = some.legs[0].weight.shape
        width = window * max(bins)
        size = max(1, CELLS // width if len(terms.legs) == 1 else GRID // (4 * width**2))
        for first in range(0, members.shape[0], size):
            rows = members[first : first + size]
            part = some if rows.shape[0] == shape[0] else some.at(rows)
            h[rows], l[rows] = _solve([_Side.of(leg, bounds, xp) for leg in part.legs], bounds, step, xp)
    return Optimum(h, l, evaluate(every, h[:, None], l[:, None])[:, 0])


def _placed(terms: ProfitTerms, xp: Any) -> ProfitTerms:
    """The same terms without the bars on which a leg is placed in no problem, and without legs that never are."""
    legs = []
    for leg in terms.legs:
        bars = xp.any(leg.per_lower != 0, axis=0)
        if xp.all(bars):
            legs.append(leg)
        elif xp.any(bars):
            legs.append(leg.map(itemgetter((slice(None), xp.nonzero(bars)[0]))))
    return ProfitTerms(tuple(legs) or terms.legs[:1])


def _one_bin(leg: Leg) -> Leg:
    """The same leg where it has no take-profit, in fewer arrays."""
    first = {name: getattr(leg, name)[..., :1] for name in ("upper_edges", "lower_edges")}
    return replace(leg, weight=leg.weight[..., :1, :1], **first)


@dataclass(frozen=True, slots=True)
class _Side:
    """A leg and its two axes, in its own coordinates."""

    leg: Leg
    upper: Axis
    lower: Axis
    begins: Array  # [B, W, Q] whether weights change where a bin of the lower axis begins

    @classmethod
    def of(cls, leg: Leg, bounds: Bounds, xp: Any) -> _Side:
        along_upper, along_lower = (mirror(bounds[1]), mirror(bounds[0])) if leg.mirrored else bounds
        upper = make_axis(leg.upper_move, leg.upper_clip, along_upper, xp)
        lower = make_axis(leg.lower_move, leg.lower_clip, along_lower, xp)
        differs = (leg.weight[..., :1] != 0, leg.weight[..., 1:] != leg.weight[..., :-1])
        return cls(leg, upper, lower, xp.concat([xp.any(each, axis=2) for each in differs], axis=2))

    @property
    def short(self) -> bool:
        """Whether the window has so few bars and bins that all at once is quicker than one after the other."""
        _, window, upper_bins, lower_bins = self.leg.weight.shape
        return bool(window * max(upper_bins, lower_bins) <= SHORT)

    def upper_ends(self, step: float, xp: Any) -> Array:
        """Where profit may fall as the upper level rises, `[B, W * P]`, `step` before it."""
        weight = self.leg.weight
        differs = (weight[:, :, :-1] != weight[:, :, 1:], weight[:, :, -1:] != 0)
        live = xp.concat([xp.any(each, axis=3) for each in differs], axis=2)
        return self.upper.meetings(self.leg.upper_edges, live, -step, xp)

    def lower_ends(self, step: float, xp: Any) -> Array:
        """Where profit may jump as the lower level rises, `[B, W * (Q + 2)]`, `step` after it."""
        leg = self.leg
        entering = (leg.per_lower != 0)[:, :, None]
        live = xp.concat([self.begins, entering, entering], axis=2)
        edges = xp.concat([leg.lower_edges, leg.low[:, :, None], leg.open[:, :, None]], axis=2)
        return self.lower.meetings(edges, live, step, xp)

    def entry(self, at: Array, xp: Any) -> Array:
        """What the entries earn, closed at the close, at lower multipliers `at` `[B, K]`."""
        leg = self.leg
        if not self.short:
            return lines(self.lower, leg.low, leg.open, leg.at_level, leg.per_lower, at, xp)
        d = self.lower.level(at, xp)
        entry = leg.at_level[:, :, None] + leg.per_lower[:, :, None] * xp.minimum(d, leg.open[:, :, None])
        return xp.sum(xp.where(d > leg.low[:, :, None], entry, 0.0), axis=1)


def _solve(sides: list[_Side], bounds: Bounds, step: float, xp: Any) -> tuple[Array, Array]:
    """The best `(h, l)` of some problems."""
    h_ends = [-side.lower_ends(step, xp) if side.leg.mirrored else side.upper_ends(step, xp) for side in sides]
    l_ends = [-side.upper_ends(step, xp) if side.leg.mirrored else side.lower_ends(step, xp) for side in sides]
    h, l = candidates(h_ends, bounds[0], bounds[0][1], xp), candidates(l_ends, bounds[1], bounds[1][0], xp)
    by_h, by_l = xp.zeros_like(h), xp.zeros_like(l)
    for side in sides:
        if side.leg.mirrored:
            by_h += side.entry(-h, xp)
        else:
            by_l += side.entry(l, xp)
    short = sides[0].short
    cells = math.prod(sides[0].leg.lower_edges.shape) * h.shape[1]
    if short or len(sides) > 1 or sides[0].leg.mirrored or cells <= FEW:
        grids = (_product(side, h, l, xp) if short else _swept(side, h, l, xp) for side in sides)
        profit = sum(grids, by_h[:, None, :])
        peak = xp.max(profit, axis=2)
        at = xp.argmin(xp.where(profit >= peak[:, :, None] - TIE, xp.abs(h)[:, None, :], xp.inf), axis=2)
    else:
        peak, at = _peaks(sides[0], h, l, by_h, by_l, xp)
    profit = peak + by_l
    near = profit >= xp.max(profit, axis=1, keepdims=True) - TIE
    size = xp.abs(l) + xp.abs(pick(h, at, xp))
    best = xp.argmin(xp.where(near, size, xp.inf), axis=1)[:, None]
    return pick(h, pick(at, best, xp), xp)[:, 0], pick(l, best, xp)[:, 0]


def _product(side: _Side, h: Array, l: Array, xp: Any) -> Array:
    """What take-profits earn on the grid `[B, K_l, K_h]`, as a matrix product: best for short windows."""
    leg = side.leg
    upper, lower = (-l, -h) if leg.mirrored else (h, l)
    u, d = side.upper.level(upper, xp)[:, :, None, :], side.lower.level(lower, xp)[:, :, None, :]
    value = leg.gain[:, :, None, None] + leg.per_upper[:, :, None, None] * u
    begun = xp.astype(d > leg.lower_edges[..., None], u.dtype)
    earned = (u <= leg.upper_edges[..., None]) * value
    nothing = xp.zeros_like(leg.weight)
    falls = leg.weight - xp.concat([leg.weight[:, :, 1:], nothing[:, :, :1]], axis=2)
    change = falls - xp.concat([nothing[..., :1], falls[..., :-1]], axis=3)
    earned = xp.matmul(xp.permute_dims(change, (0, 1, 3, 2)), earned)
    begun, earned = (xp.reshape(a, (a.shape[0], -1, a.shape[3])) for a in (begun, earned))
    grid = xp.matmul(xp.permute_dims(begun, (0, 2, 1)), earned)
    return xp.permute_dims(grid, (0, 2, 1)) if leg.mirrored else grid


def _swept(side: _Side, h: Array, l: Array, xp: Any) -> Array:
    """What take-profits earn on the grid `[B, K_l, K_h]`, as running sums along the lower axis."""
    mirrored = side.leg.mirrored
    along, dense = (-h, xp.flip(-l, axis=1)) if mirrored else (l, h)
    sweep = _Sweep.of(side, dense, xp)
    grid = pick(sweep.whole(xp), count_below(sweep.x, along, xp), xp)
    return xp.permute_dims(xp.flip(grid, axis=2), (0, 2, 1)) if mirrored else grid


def _peaks(side: _Side, h: Array, l: Array, by_h: Array, by_l: Array, xp: Any) -> tuple[Array, Array]:
    """The best profit of a long over `h` for each `l` `[B, K_l]` and the place of that h; no row of the grid is kept.

    The place is looked up where a row can hold the best profit of all, and is 0 otherwise.
    """
    sweep = _Sweep.of(side, h, xp)
    row = count_below(sweep.x, l, xp)
    ceiling, size = _ceiling(row, l, by_l, sweep.x.shape[1] + 1, xp), xp.abs(h)
    best, peaks, kept = ceiling[:, 0] - xp.inf, [], []
    for e, profit in enumerate(sweep.sums(by_h, xp)):
        peaks.append(xp.max(profit, axis=1))
        at_most = peaks[e] + ceiling[:, e]
        best = xp.maximum(best, at_most)
        hot = xp.nonzero(at_most >= best - TIE)[0]
        if hot.shape[0]:
            kept.append((hot, xp.full_like(hot, e), at_most[hot], profit[hot]))
        if len(kept) > KEPT:
            kept = [_unbeaten(kept, best, xp)]
    problem, e, _, profit = _unbeaten(kept, best, xp)
    near = profit >= xp.max(profit, axis=1, keepdims=True) - TIE
    places = xp.zeros_like(xp.broadcast_to(row[:, :1], (row.shape[0], len(peaks))))
    places[problem, e] = xp.argmin(xp.where(near, size[problem], xp.inf), axis=1)
    return pick(xp.stack(peaks, axis=1), row, xp), pick(places, row, xp)


def _unbeaten(kept: list[tuple[Array, ...]], best: Array, xp: Any) -> tuple[Array, ...]:
    """Of rows kept as problems, places, the most that they can earn, and profits: those that can still be the best."""
    problem, *others = (xp.concat(each) for each in zip(*kept, strict=True))
    still = others[1] >= best[problem] - TIE
    return (problem[still], *(each[still] for each in others))


def _ceiling(row: Array, l: Array, by_l: Array, rows: int, xp: Any) -> Array:
    """The largest of `by_l` `[B, K]` among the candidates on each row `[B, rows]`, -inf where there is none."""
    numbers = xp.broadcast_to(xp.arange(rows + 1)[None], (row.shape[0], rows + 1))
    first = count_below(row, numbers, xp)
    first, end = first[:, :-1], first[:, 1:]
    padded = xp.count_nonzero(l == l[:, :1], axis=1)[:, None] - 1
    first = xp.where(first < end, xp.maximum(first, padded), end)
    ceiling = xp.full_like(pick(by_l, 0 * first, xp), -xp.inf)
    for k in range(int(xp.max(end - first))):
        value = pick(by_l, xp.minimum(first + k, end - 1), xp)
        ceiling = xp.maximum(ceiling, xp.where(first < end, value, -xp.inf))
    return ceiling


@dataclass(frozen=True, slots=True)
class _Sweep:
    """Running sums of the take-profits for increasing upper multipliers `[B, K]`, bin by bin along the lower axis."""

    x: Array  # [B, E] where along the lower axis bins begin, increasing
    change: Array  # [B, E, P + 1] of the weights, times the slope, by bin of the upper axis
    lengths: Array  # [B, E, P + 1] how many of the K lie in each
    low: Array  # [B, E] multiplier below which the upper level stays
    high: Array  # [B, E] and above which
    gain: Array  # [B, E] that a weight of one earns over the multiplier, of one slope
    values: Array  # [B, K]

    @classmethod
    def of(cls, side: _Side, values: Array, xp: Any) -> _Sweep:
        """The sweep for upper multipliers `values` `[B, K]`."""
        leg = side.leg
        sloped = leg.per_upper != 0  # else the level says nothing, and the largest value stands for it
        slope = xp.where(sloped, leg.per_upper, 1.0)
        x = side.lower.places(leg.lower_edges, xp)
        begun = x == -xp.inf  # of the bins that begin below the bounds, the last one counts, and counts in full
        passed = xp.concat([begun[..., 1:], xp.zeros_like(begun[..., :1])], axis=2)
        x = xp.where(passed | ~(begun | side.begins), xp.inf, x)
        x, order = ordered(xp.reshape(x, (x.shape[0], -1)), xp)
        bar, bin = order // leg.weight.shape[3], order % leg.weight.shape[3]
        problem, before = xp.arange(x.shape[0])[:, None], xp.clip(bin - 1, 0, None)
        change = leg.weight[problem, bar, :, bin]
        after = (x > -xp.inf) & (bin > 0)
        change = change - xp.where(after[:, :, None], leg.weight[problem, bar, :, before], 0.0)
        change *= pick(slope, bar, xp)[:, :, None]
        change = xp.concat([change, xp.zeros_like(change[:, :, :1])], axis=2)
        after = xp.nextafter(side.upper.places(leg.upper_edges, xp), xp.asarray(xp.inf))
        ends = xp.reshape(count_below(values, xp.reshape(after, (x.shape[0], -1)), xp), leg.upper_edges.shape)
        ends = xp.concat([xp.zeros_like(ends[:, :, :1]), ends, xp.full_like(ends[:, :, :1], values.shape[1])], axis=2)
        low, high = (xp.where(sloped, bound - leg.upper_move, values[:, -1:]) for bound in leg.upper_clip)
        gain = leg.gain / slope + xp.where(sloped, leg.upper_move, -values[:, -1:])
        lengths, low, high, gain = (pick(each, bar, xp) for each in (ends[:, :, 1:] - ends[:, :, :-1], low, high, gain))
        return cls(x, change, lengths, low, high, gain, values)

    def sums(self, start: Array, xp: Any) -> Iterator[Array]:
        """The E + 1 sums `[B, K]` before, between and after, which begin at `start`: one array that changes."""
        width = self.change.shape[0] * self.change.shape[2]
        change, lengths = (xp.reshape(xp.permute_dims(a, (1, 0, 2)), (-1, width)) for a in (self.change, self.lengths))
        low, high, gain = (xp.permute_dims(a, (1, 0))[:, :, None] for a in (self.low, self.high, self.gain))
        clipped, total = xp.any(self.values[:, -1:] > self.high), xp.asarray(start, copy=True)
        yield total
        for e in range(self.x.shape[1]):
            gained = xp.maximum(self.values, low[e])
            if clipped:
                gained = xp.minimum(gained, high[e])
            gained += gain[e]
            gained *= xp.reshape(xp.repeat(change[e], lengths[e]), start.shape)
            total += gained
            yield total

    def whole(self, xp: Any) -> Array:
        """The same sums from zero at once, `[B, E + 1, K]`: quicker where they fit, as a loop costs its calls."""
        gained = xp.minimum(xp.maximum(self.values[:, None, :], self.low[:, :, None]), self.high[:, :, None])
        gained += self.gain[:, :, None]
        weights = xp.repeat(xp.reshape(self.change, (-1,)), xp.reshape(self.lengths, (-1,)))
        gained *= xp.reshape(weights, gained.shape)
        return xp.cumulative_sum(gained, axis=1, include_initial=True)
