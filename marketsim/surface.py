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

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from marketsim.axis import Array, Axis, candidates, count_below, lines, make_axis, namespace, ordered, pick
from marketsim.fills import Leg, ProfitTerms, mirror

STEP = 1e-7  # inside an open side, so that float32 attains what float64 claims
TIE = 1e-12  # profits this close are equal, in whatever order a machine added them
CELLS = 1 << 15  # problems x candidates at once: their sums then stay in a processor's cache
SMALL = 1 << 11  # too few to be worth a second pass
GRID = 1 << 22  # cells at once where whole grids are held, 32 MB
SHORT = 16  # bars x bins of a window for which a matrix product is quicker than running sums
FEW_BINS = 2  # as many are quicker compared one by one

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
    terms = ProfitTerms(tuple(leg for leg in terms.legs if xp.any(leg.per_lower != 0)) or terms.legs[:1])
    count, window, *bins = terms.legs[0].weight.shape
    h, l = (xp.zeros_like(terms.legs[0].low[:, 0]) for _ in range(2))
    aiming = xp.any(xp.stack([xp.any(leg.weight != 0, axis=(1, 2, 3)) for leg in terms.legs]), axis=0)
    width = window * max(bins)
    size = max(1, CELLS // width if len(terms.legs) == 1 else GRID // (4 * width**2))
    # problems without take-profits are quicker apart, unless all are too few for a second pass to pay
    for group in (aiming, ~aiming) if count * width > SMALL else (aiming | ~aiming,):
        members = xp.nonzero(group)[0]
        for first in range(0, members.shape[0], size):
            rows = members[first : first + size]
            some = terms if rows.shape[0] == count else terms.at(rows)
            h[rows], l[rows] = _solve([_Side.of(leg, bounds, xp) for leg in some.legs], bounds, step, xp)
    return Optimum(h, l, evaluate(terms, h[:, None], l[:, None])[:, 0])


@dataclass(frozen=True, slots=True)
class _Side:
    """A leg and its two axes, in its own coordinates."""

    leg: Leg
    upper: Axis
    lower: Axis

    @classmethod
    def of(cls, leg: Leg, bounds: Bounds, xp: Any) -> _Side:
        along_upper, along_lower = (mirror(bounds[1]), mirror(bounds[0])) if leg.mirrored else bounds
        upper = make_axis(leg.upper_move, leg.upper_clip, along_upper, xp)
        return cls(leg, upper, make_axis(leg.lower_move, leg.lower_clip, along_lower, xp))

    @property
    def short(self) -> bool:
        """Whether the window has so few bars and bins that all at once is quicker than one after the other."""
        _, window, upper_bins, lower_bins = self.leg.weight.shape
        return bool(window * max(upper_bins, lower_bins) <= SHORT)

    def upper_ends(self, step: float, xp: Any) -> Array:
        """Where profit may fall as the upper level rises, `[B, W * P]`, `step` before it."""
        weight = self.leg.weight
        after = xp.concat([weight[:, :, 1:], xp.zeros_like(weight[:, :, :1])], axis=2)
        live = xp.any(weight != after, axis=3)
        return self.upper.meetings(self.leg.upper_edges, live, -step, xp)

    def lower_ends(self, step: float, xp: Any) -> Array:
        """Where profit may jump as the lower level rises, `[B, W * (Q + 2)]`, `step` after it."""
        leg = self.leg
        before = xp.concat([xp.zeros_like(leg.weight[..., :1]), leg.weight[..., :-1]], axis=3)
        entering = (leg.per_lower != 0)[:, :, None]
        live = xp.concat([xp.any(leg.weight != before, axis=2), entering, entering], axis=2)
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
    if short or len(sides) > 1 or sides[0].leg.mirrored:
        grids = (_product(side, h, l, xp) if short else _swept(side, h, l, xp) for side in sides)
        peak, at = _first_best(sum(grids, by_h[:, None, :]), xp.abs(h)[:, None, :], xp)
    else:
        peak, at = _peaks(sides[0], h, l, by_h, xp)
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
    x, sums = _sweep(side, dense, xp.zeros_like(dense), xp)
    states = xp.stack([xp.asarray(each, copy=True) for each in sums], axis=1)
    grid = pick(states, count_below(x, along, xp), xp)
    return xp.permute_dims(xp.flip(grid, axis=2), (0, 2, 1)) if mirrored else grid


def _peaks(side: _Side, h: Array, l: Array, by_h: Array, xp: Any) -> tuple[Array, Array]:
    """The best profit of a long over `h` for each `l` `[B, K_l]` and where it is; no row of the grid is kept."""
    size, order = xp.abs(h), None
    if side.leg.weight.shape[2] <= FEW_BINS:  # then candidates need not increase, and the first tie can be the best
        order = xp.argsort(size, axis=1)
        h, by_h = pick(h, order, xp), pick(by_h, order, xp)
    x, sums = _sweep(side, h, by_h, xp)
    peaks = [_first_best(each, size if order is None else None, xp) for each in sums]
    place = count_below(x, l, xp)
    peak, at = (pick(xp.stack(each, axis=1), place, xp) for each in zip(*peaks, strict=True))
    return peak, at if order is None else pick(order, at, xp)


def _first_best(profit: Array, size: Array | None, xp: Any) -> tuple[Array, Array]:
    """The maximum along the last axis, and the place of the smallest `size`, or the first one, that ties."""
    best = xp.max(profit, axis=-1)
    near = profit >= best[..., None] - TIE
    if size is None:
        return best, xp.argmax(xp.astype(near, xp.uint8), axis=-1)
    return best, xp.argmin(xp.where(near, size, xp.inf), axis=-1)


def _sweep(side: _Side, values: Array, start: Array, xp: Any) -> tuple[Array, Iterator[Array]]:
    """Running sums of the take-profits for upper multipliers `values` `[B, K]`, increasing, bin by bin.

    Returns where along the lower axis bins begin, `[B, E]` increasing, and the E + 1 sums `[B, K]` before,
    between and after; they begin at `start` and are one array that changes.
    """
    leg, bins = side.leg, side.leg.weight.shape[2]
    x, change = _bins(side, xp)
    shape = (x.shape[0], -1, bins)
    x, order = ordered(xp.reshape(x, shape[:2]), xp)
    change = pick(xp.reshape(xp.permute_dims(change, (0, 1, 3, 2)), shape), order, xp)
    falls = change - xp.concat([change[:, :, 1:], xp.zeros_like(change[:, :, :1])], axis=2)
    bar = order // leg.weight.shape[3]
    move, gain, rise = (pick(a, bar, xp) for a in (leg.upper_move, leg.gain, leg.per_upper))
    if bins <= FEW_BINS:
        edges = pick(leg.upper_edges, bar, xp)
    else:
        after = xp.nextafter(side.upper.places(leg.upper_edges, xp), xp.asarray(xp.inf))
        ends = xp.reshape(count_below(values, xp.reshape(after, (x.shape[0], -1)), xp), leg.upper_edges.shape)
        last = xp.full_like(ends[:, :, :1], values.shape[1])
        ends = xp.concat([ends, last], axis=2)
        lengths = pick(xp.concat([ends[:, :, :1], ends[:, :, 1:] - ends[:, :, :-1]], axis=2), bar, xp)
        steps = xp.concat([change, xp.zeros_like(change[:, :, :1])], axis=2)

    def weights(e: int, level: Array) -> Array:
        if bins <= FEW_BINS:
            held = [falls[:, e, p, None] * (level <= edges[:, e, p, None]) for p in range(bins)]
            return held[0] if bins == 1 else held[0] + held[1]
        runs = xp.repeat(xp.reshape(steps[:, e], (-1,)), xp.reshape(lengths[:, e], (-1,)))
        return xp.reshape(runs, values.shape)

    def sums() -> Iterator[Array]:
        total = xp.asarray(start, copy=True)
        yield total
        for e in range(x.shape[1]):
            level = xp.clip(move[:, e, None] + values, *leg.upper_clip)
            weight = weights(e, level)
            level *= rise[:, e, None]
            level += gain[:, e, None]
            level *= weight
            total += level
            yield total

    return x, sums()


def _bins(side: _Side, xp: Any) -> tuple[Array, Array]:
    """Where each bin of the lower axis begins, `[B, W, Q]`, and how the weights change there, `[B, W, P, Q]`."""
    weight = side.leg.weight
    x = side.lower.places(side.leg.lower_edges, xp)
    change = xp.concat([weight[..., :1], weight[..., 1:] - weight[..., :-1]], axis=3)
    begun = x == -xp.inf  # of the bins that begin below the bounds, the last one counts, and counts in full
    passed = xp.concat([begun[..., 1:], xp.zeros_like(begun[..., :1])], axis=2)
    change = xp.where(begun[:, :, None, :], weight, change)
    return xp.where(passed | ~xp.any(change != 0, axis=2), xp.inf, x), change
