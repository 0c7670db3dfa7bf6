"""Profit over the multipliers `(h, l)`: evaluate many candidates, and find the exact maximum, batched.

Inside a cell of the arrangement of all bars' lattices (fills.py) profit never falls in `h` nor rises in `l`, so
its supremum sits at the upper end of the cell in `h` and at its lower end in `l`. Those ends are known: where
a level meets an edge, and the bounds. Enumerating them finds the global maximum.

The cells of a long hold the end at which their profit is best, and those of a short the other one. Where an end of
the one meets an end of the other, on ties and on every bar that has both legs, the line itself is a cell: its long is
that of one neighbour, its short that of the other. With two legs the ends themselves are therefore candidates, beside
the places a step inside.

Small grids of candidates are priced whole (side.py). On large ones blocks of neighbours are bounded first: few of
them can hold the best, and only their candidates are evaluated.

Written against the array API: numpy arrays and torch tensors, on any device, take the same lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from marketsim.execution.arrays import Array, count_below, namespace, numbers, pick
from marketsim.execution.profit_terms import TIE, Leg, ProfitTerms, evaluate, total_profit
from marketsim.optimizers.exact.candidates import candidates
from marketsim.optimizers.exact.leg_profit import SHORT, Side

STEP = 1e-7  # inside an open side, so that float32 attains what float64 claims
FINE = 1e-12  # the same where float64 is enough, and beyond what counts as a touch
ROUNDING = 1e-12  # of all that a window trades: more than sums lose
SMALL = 1 << 11  # bars x bins of all problems that are quicker together
PRODUCTS = 1 << 15  # squares of bars x bins of short windows, or
TOGETHER = 3 << 12  # bars x bins of others, that are solved at once, and
ROW = 1 << 10  # candidates along an axis of whole grids, and
BARS = 1 << 12  # bars of blocks: arrays that fit a processor's cache, and need no new memory each time
FEW = 1 << 14  # cells of a grid that is quicker whole, and
ALL = 1 << 16  # of all grids of few problems
BLOCK = 4  # candidates of either axis in a block
BLOCKS = 64  # of a problem that are quicker than its whole grid

Bounds = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Optimum:
    """The best multipliers of B problems, and the profit that they attain when evaluated again."""

    high_multiplier: Array  # [B]
    low_multiplier: Array  # [B]
    profit: Array  # [B], sum over the window, in fractions of the origins' closes
    fallbacks: int = 0  # problems that a search gave up on and another one finished


def maximise(terms: ProfitTerms, bounds: Bounds, step: float = STEP, touching: bool = True) -> Optimum:
    """The exact maximum of every problem `[B, W]` for `bounds = ((h_min, h_max), (l_min, l_max))`.

    Candidates step `step` inside their cell. With `touching` those that lie on the line between two cells count too:
    levels that touch a price exactly, which float32 cannot hold. Ties go to the smaller `|h| + |l|`; (0, 0), or the
    point of the bounds nearest to it, is always a candidate.
    """
    xp = namespace(terms.legs[0].low)
    every, terms = terms, _placed(terms, xp)
    h, l = (xp.zeros_like(terms.legs[0].low[:, 0]) for _ in range(2))
    groups = [(numbers(len(terms), h, xp), terms)]
    if math.prod(terms.legs[0].weight.shape) > SMALL:  # then problems without take-profits are worth their own pass
        aiming = xp.any(xp.stack([xp.any(leg.weight != 0, axis=(1, 2, 3)) for leg in terms.legs]), axis=0)
        closing = ProfitTerms(tuple(_one_bin(leg) for leg in terms.legs))
        groups = [(xp.nonzero(aiming)[0], terms), (xp.nonzero(~aiming)[0], closing)]
    for members, some in groups:
        _, window, *bins = some.legs[0].weight.shape
        width = window * max(bins)
        size = max(1, (PRODUCTS // width if width <= SHORT else TOGETHER) // width)
        for first in range(0, members.shape[0], size):
            rows = members[first : first + size]
            chosen = some if rows.shape[0] == len(terms) else some.at(_neighbours(rows))
            h[rows], l[rows] = _Candidates.of(chosen, bounds, step, touching, xp).best(xp)
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


def _neighbours(rows: Array) -> Array | slice:
    """Increasing rows, as a slice where they are neighbours: nothing is copied for it."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == rows.shape[0] else rows


@dataclass(frozen=True, slots=True)
class _Candidates:
    """The candidates of B problems along both axes, and what the entries earn at them."""

    sides: tuple[Side, ...]
    h: Array  # [B, K_h] increasing
    l: Array  # [B, K_l] increasing
    by_h: Array  # [B, K_h] the entries of a short
    by_l: Array  # [B, K_l] the entries of a long

    @classmethod
    def of(cls, terms: ProfitTerms, bounds: Bounds, step: float, touching: bool, xp: Any) -> _Candidates:
        """The candidates of problems `[B, W]`."""
        sides = tuple(Side.of(leg, *bounds, xp) for leg in terms.legs)
        both = xp.all(xp.stack([xp.any(side.leg.per_lower != 0, axis=1) for side in sides]), axis=0)
        h_ends, l_ends = [], []
        for side in sides:
            upper, lower = [side.upper_ends(step, xp)], [side.lower_ends(step, xp)]
            if touching and len(sides) > 1:
                lower.append(xp.where(both[:, None], side.lower_ends(0.0, xp), xp.inf))
            h_ends += [-x for x in lower] if side.leg.mirrored else upper
            l_ends += [-x for x in upper] if side.leg.mirrored else lower
        h, l = candidates(h_ends, bounds[0], bounds[0][1], xp), candidates(l_ends, bounds[1], bounds[1][0], xp)
        by_h, by_l = xp.zeros_like(h), xp.zeros_like(l)
        for side in sides:
            if side.leg.mirrored:
                by_h += side.entry(-h, xp)
            else:
                by_l += side.entry(l, xp)
        return cls(sides, h, l, by_h, by_l)

    def at(self, rows: Any) -> _Candidates:
        """Those of some problems."""
        arrays = (each[rows] for each in (self.h, self.l, self.by_h, self.by_l))
        return _Candidates(tuple(side.at(rows) for side in self.sides), *arrays)

    def best(self, xp: Any) -> tuple[Array, Array]:
        """The best `(h, l)`, each `[B]`, in the quickest way."""
        side = self.sides[0]
        if not any(xp.any(side.begins) for side in self.sides):  # then each axis has its own best
            best = (_best(by, xp.abs(x), xp) for by, x in ((self.by_h, self.h), (self.by_l, self.l)))
            h, l = (pick(x, at[:, None], xp)[:, 0] for x, at in zip((self.h, self.l), best, strict=True))
            return h, l
        if side.short:
            return self.of_grid(xp)
        cells = self.h.shape[1] * self.l.shape[1]
        if cells > max(FEW, ALL // self.h.shape[0]) and side.leg.weight.shape[2] > 1:  # one bin bounds little
            return self.of_blocks(xp)
        return self.of_grids(xp)

    def of_grids(self, xp: Any) -> tuple[Array, Array]:
        """The best of whole grids, of some problems after the other."""
        count, size = self.h.shape[0], max(1, ROW // self.h.shape[1])
        if size >= count:
            return self.of_grid(xp)
        found = [self.at(slice(first, first + size)).of_grid(xp) for first in range(0, count, size)]
        h, l = (xp.concat(each) for each in zip(*found, strict=True))
        return h, l

    def of_grid(self, xp: Any) -> tuple[Array, Array]:
        """The best of the whole grid."""
        grid = sum((side.grid(self.h, self.l, xp) for side in self.sides), self.by_h[:, None, :])
        peak = xp.max(grid, axis=2)
        profit = peak + self.by_l
        problem, row = xp.nonzero(profit >= xp.max(profit, axis=1, keepdims=True) - TIE)
        at = _best(grid[problem, row], xp.abs(self.h)[problem], xp)
        size, at_h = xp.full_like(profit, xp.inf), xp.zeros_like(profit)
        at_h[problem, row] = self.h[problem, at]
        size[problem, row] = xp.abs(self.h[problem, at]) + xp.abs(self.l[problem, row])
        best = xp.argmin(size, axis=1)[:, None]
        return pick(at_h, best, xp)[:, 0], pick(self.l, best, xp)[:, 0]

    def of_blocks(self, xp: Any) -> tuple[Array, Array]:
        """The best of those blocks of candidates that are not ruled out by what they can earn at most."""
        blocks, count = _Blocks.of(self, xp), self.h.shape[0]
        top = _best(blocks.most, blocks.size, xp)
        first = blocks.evaluated(numbers(count, top, xp), top, xp)
        problem, block = blocks.rivals(top, first, xp)
        begin = count_below(problem[None], numbers(count + 1, top, xp)[None], xp)[0]
        rivals, place = begin[1:] - begin[:-1], numbers(problem.shape[0], top, xp) - begin[problem]
        few = rivals <= BLOCKS
        problem, block, place = (each[few[problem]] for each in (problem, block, place))
        shape = (4, count, 1 + int(xp.max(xp.where(few, rivals, 0))), BLOCK**2)
        found = xp.full_like(xp.broadcast_to(first[:, :, None], shape), -xp.inf)
        found[:, :, 0] = first
        found[:, problem, 1 + place] = blocks.evaluated(problem, block, xp)
        profit, size, at_h, at_l = xp.reshape(found, (4, count, -1))
        size = xp.where(profit >= xp.max(profit, axis=1, keepdims=True) - TIE, size, xp.inf)
        best = xp.argmin(xp.where(size == xp.min(size, axis=1, keepdims=True), at_l, xp.inf), axis=1)[:, None]
        best_h, best_l = (pick(each, best, xp)[:, 0] for each in (at_h, at_l))
        left = xp.nonzero(~(few & blocks.bounded))[0]
        if left.shape[0]:
            best_h[left], best_l[left] = self.at(left).of_grids(xp)
        return best_h, best_l


@dataclass(frozen=True, slots=True)
class _Blocks:
    """Candidates of B problems in blocks of neighbours, M along `h` and N along `l`."""

    legs: tuple[Leg, ...]
    h: Array  # [B, M, BLOCK]
    l: Array  # [B, N, BLOCK]
    most: Array  # [B, N * M] no less than any candidate of the block earns, but for rounding
    size: Array  # [B, N * M] the least |h| + |l|
    bounded: Array  # [B] whether `most` is true

    @classmethod
    def of(cls, candidates: _Candidates, xp: Any) -> _Blocks:
        """The blocks of all candidates."""
        sides, count = candidates.sides, candidates.h.shape[0]
        arrays = (candidates.h, candidates.l, candidates.by_h, candidates.by_l)
        h, l, by_h, by_l = (_in_blocks(each, xp) for each in arrays)
        most = sum(side.most(h, l, by_h if side.leg.mirrored else by_l, xp) for side in sides)
        size = xp.min(xp.abs(l), axis=2)[:, :, None] + xp.min(xp.abs(h), axis=2)[:, None, :]
        most, size = (xp.reshape(each, (count, -1)) for each in (most, size))
        bounded = xp.all(xp.stack([side.bounded(xp) for side in sides]), axis=0)
        return cls(tuple(side.leg for side in sides), h, l, most, size, bounded)

    def evaluated(self, of: Array, block: Array, xp: Any) -> Array:
        """Profit, size and both multipliers of what is in blocks `[K]` of problems `of` `[K]`: `[4, K, BLOCK ** 2]`."""
        wide, some = self.h.shape[1], max(1, BARS // self.legs[0].low.shape[1])
        h, l = self.h[of, block % wide][:, None, :], self.l[of, block // wide][:, :, None]
        parts = (slice(first, first + some) for first in range(0, max(1, of.shape[0]), some))
        profit = xp.concat([total_profit(self.legs, of[rows], h[rows], l[rows], xp) for rows in parts])
        arrays = xp.broadcast_arrays(profit, xp.abs(h) + xp.abs(l), h, l)
        return xp.reshape(xp.stack(arrays), (4, of.shape[0], BLOCK**2))

    def rivals(self, top: Array, first: Array, xp: Any) -> tuple[Array, Array]:
        """The blocks, as problems `[K]` and places, that may hold better than `first` from the blocks `top` `[B]`."""
        floor, least = xp.max(first[0], axis=1), pick(first[1], _best(first[0], first[1], xp)[:, None], xp)[:, 0]
        traded = (each for leg in self.legs for each in (leg.at_level, leg.per_lower, leg.gain, leg.per_upper))
        rounding = ROUNDING * sum(xp.sum(xp.abs(each), axis=1) for each in traded)
        problem, block = xp.nonzero(self.most >= (floor - rounding)[:, None])
        better = self.most[problem, block] > floor[problem] + TIE
        better |= self.size[problem, block] <= least[problem]
        better &= self.bounded[problem] & (block != top[problem])
        return problem[better], block[better]


def _best(profit: Array, size: Array, xp: Any) -> Array:
    """The place `[B]` of the best profit `[B, K]`, of the least size among equals."""
    near = profit >= xp.max(profit, axis=1, keepdims=True) - TIE
    return xp.argmin(xp.where(near, size, xp.inf), axis=1)


def _in_blocks(x: Array, xp: Any) -> Array:
    """`[B, K]` in blocks, `[B, N, BLOCK]`; the last one is filled with its last."""
    missing = -x.shape[1] % BLOCK
    x = xp.concat([x, xp.broadcast_to(x[:, -1:], (x.shape[0], missing))], axis=1) if missing else x
    return xp.reshape(x, (x.shape[0], -1, BLOCK))
