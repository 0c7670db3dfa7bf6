"""Blocks of neighboring candidates with upper bounds, so that few of them need evaluation."""

from __future__ import annotations

import math

from msgspec import Struct

from marketsim.execution.arrays import Array, count_below, namespace, numbers, pick
from marketsim.execution.evaluation import total_profit
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import TIE, Leg
from marketsim.optimizers.exact.candidates import Candidates
from marketsim.optimizers.exact.tuning import Tuning

ROUNDING = 1e-12  # of all that a window trades: more than sums lose


class Priced(Struct, frozen=True):
    """What was evaluated in K blocks of B * B candidates each."""

    profit: Array  # [K, B * B]
    size: Array  # [K, B * B] |h| + |l|
    h: Array  # [K, B * B]
    l: Array  # [K, B * B]


class Blocks(Struct, frozen=True):
    """Candidates of B problems in blocks of neighbors, M along `h` and N along `l`."""

    legs: tuple[Leg, ...]
    h: Array  # [B, M, block_h]
    l: Array  # [B, N, block_l]
    most: Array  # [B, N * M] no less than any candidate of the block earns, but for rounding
    size: Array  # [B, N * M] the least |h| + |l|
    bounded: Array  # [B] whether `most` is true
    floor: Floor | None  # [B] which candidates may be chosen
    tuning: Tuning

    @classmethod
    def of(cls, candidates: Candidates, tuning: Tuning) -> Blocks:
        """The blocks of all candidates."""
        xp = namespace(candidates.h)
        legs, count = candidates.legs, candidates.h.shape[0]
        h, by_h = (_in_blocks(x, tuning.block_h) for x in (candidates.h, candidates.by_h))
        l, by_l = (_in_blocks(x, tuning.block_l) for x in (candidates.l, candidates.by_l))
        most = sum(leg.most(h, l, by_h if leg.leg.mirrored else by_l) for leg in legs)
        if candidates.floor is not None:
            farthest = xp.max(h, axis=2)[:, None, :], xp.min(l, axis=2)[:, :, None]
            most = xp.where(candidates.floor.allows(*farthest), most, -xp.inf)
        size = xp.min(xp.abs(l), axis=2)[:, :, None] + xp.min(xp.abs(h), axis=2)[:, None, :]
        most, size = (xp.reshape(array, (count, -1)) for array in (most, size))
        bounded = xp.all(xp.stack([leg.bounded() for leg in legs]), axis=0)
        return cls(tuple(leg.leg for leg in legs), h, l, most, size, bounded, candidates.floor, tuning)

    def best(self) -> tuple[Array, Array, Array]:
        """The best `(h, l)`, each `[B]`, and of which problems `[B]` they are known to be."""
        xp = namespace(self.h)
        count = self.h.shape[0]
        top = best_place(self.most, self.size)
        first = self._priced(numbers(count, top), top)
        problem, block = self._rivals(top, first)
        begin = count_below(problem[None], numbers(count + 1, top)[None])[0]
        rivals, place = begin[1:] - begin[:-1], numbers(problem.shape[0], top) - begin[problem]
        few = rivals <= self.tuning.rivals
        kept = few[problem]
        problem, block, place = problem[kept], block[kept], place[kept]
        more = self._priced(problem, block)
        width = 1 + int(xp.max(xp.where(few, rivals, 0)))

        def together(of_first: Array, of_more: Array, missing: float) -> Array:
            found = xp.full_like(xp.broadcast_to(of_first[:, None], (count, width, of_first.shape[1])), missing)
            found[:, 0] = of_first
            found[problem, 1 + place] = of_more
            return xp.reshape(found, (count, -1))

        profit, size = together(first.profit, more.profit, -xp.inf), together(first.size, more.size, xp.inf)
        h, l = together(first.h, more.h, 0.0), together(first.l, more.l, 0.0)
        size = xp.where(profit >= xp.max(profit, axis=1, keepdims=True) - TIE, size, xp.inf)
        at = xp.argmin(xp.where(size == xp.min(size, axis=1, keepdims=True), l, xp.inf), axis=1)[:, None]
        return pick(h, at)[:, 0], pick(l, at)[:, 0], few & self.bounded

    def _priced(self, of: Array, block: Array) -> Priced:
        """What is in blocks `[K]` of problems `of` `[K]`."""
        xp = namespace(self.h)
        wide, some = self.h.shape[1], max(1, self.tuning.bars // self.legs[0].low.shape[1])
        h, l = self.h[of, block % wide][:, None, :], self.l[of, block // wide][:, :, None]
        parts = (slice(first, first + some) for first in range(0, max(1, of.shape[0]), some))
        profit = xp.concat([total_profit(self.legs, of[rows], h[rows], l[rows]) for rows in parts])
        if self.floor is not None:
            profit = xp.where(self.floor.at(of).allows(h, l), profit, -xp.inf)
        shape = (of.shape[0], math.prod(profit.shape[1:]))
        h, l = (xp.broadcast_to(x, profit.shape) for x in (h, l))
        flat = (xp.reshape(x, shape) for x in (profit, xp.abs(h) + xp.abs(l), h, l))
        return Priced(*flat)

    def _rivals(self, top: Array, first: Priced) -> tuple[Array, Array]:
        """The blocks, as problems `[K]` and places, that may hold better than `first` from the blocks `top` `[B]`."""
        xp = namespace(self.h)
        floor = xp.max(first.profit, axis=1)
        least = pick(first.size, best_place(first.profit, first.size)[:, None])[:, 0]
        traded = (term for leg in self.legs for term in (leg.at_level, leg.per_lower, leg.gain, leg.per_upper))
        rounding = ROUNDING * sum(xp.sum(xp.abs(term), axis=1) for term in traded)
        problem, block = xp.nonzero(self.most >= (floor - rounding)[:, None])
        better = self.most[problem, block] > floor[problem] + TIE
        better |= self.size[problem, block] <= least[problem]
        better &= self.bounded[problem] & (block != top[problem])
        return problem[better], block[better]


def best_place(profit: Array, size: Array) -> Array:
    """The place `[B]` of the best profit `[B, K]`, of the least size among equals."""
    xp = namespace(profit)
    near = profit >= xp.max(profit, axis=1, keepdims=True) - TIE
    return xp.argmin(xp.where(near, size, xp.inf), axis=1)


def _in_blocks(x: Array, block: int) -> Array:
    """`[B, K]` in blocks, `[B, N, block]`; the last one is filled with its last."""
    xp = namespace(x)
    missing = -x.shape[1] % block
    x = xp.concat([x, xp.broadcast_to(x[:, -1:], (x.shape[0], missing))], axis=1) if missing else x
    return xp.reshape(x, (x.shape[0], -1, block))
