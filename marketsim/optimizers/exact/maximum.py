"""The exact maximum of profit over the multipliers `(h, l)`, all problems at once.

Inside a cell of the arrangement of all bars' lattices (execution.profit_terms.Leg) profit is linear in either
multiplier, so its supremum sits on a corner of the cell. The corners are known: where levels meet edges, and bounds.
Enumerating them finds the global maximum. On lattices of bins profit never falls in `h` nor rises in `l` inside a cell:
the corner at its upper end in `h` and its lower end in `l` is enough.

The cells of a long hold the end at which their profit is best, and those of a short the other one. Where an end of
the one meets an end of the other, on ties and on every bar that has both legs, the line itself is a cell: its long is
that of one neighbor, its short that of the other. With two legs the ends themselves are therefore candidates, beside
the places a step inside.

Compiled code does it where there is some (compiled.py), and tensors on a device (on_device.py). What follows here gives
the same answers without either: small grids of candidates are priced whole (leg_profit.py), large ones in blocks
(blocks.py).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import itemgetter
from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from marketsim.execution.arrays import Array, namespace, numbers, pick
from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import TIE, ProfitTerms
from marketsim.execution.window_terms import Problems
from marketsim.optimizers.exact.blocks import Blocks, best_place
from marketsim.optimizers.exact.candidates import Bounds, Candidates
from marketsim.optimizers.exact.compiled import CompiledTerms
from marketsim.optimizers.exact.tuning import TUNING, Tuning

STEP = 1e-7  # inside an open side, so that float32 attains what float64 claims
FINE = 7e-13  # the same where float64 is enough, and beyond what counts as a touch; no number of such steps is a TIE


class Optimum(Struct, frozen=True):
    """The best multipliers of B problems, and the profit that they attain when evaluated again."""

    high_multiplier: Array  # [B]
    low_multiplier: Array  # [B]
    profit: Array  # [B], sum over the window, in fractions of the origins' closes
    fallbacks: int = 0  # problems that a search gave up on and another one finished

    @classmethod
    def concatenate(cls, parts: Sequence[Optimum]) -> Optimum:
        """The answers to problems one after the other."""
        return cls(
            high_multiplier=np.concatenate([part.high_multiplier for part in parts]),
            low_multiplier=np.concatenate([part.low_multiplier for part in parts]),
            profit=np.concatenate([part.profit for part in parts]),
            fallbacks=sum(part.fallbacks for part in parts),
        )

    def at(self, index: Any) -> Optimum:
        """The answers to some problems, as an array is indexed."""
        return Optimum(self.high_multiplier[index], self.low_multiplier[index], self.profit[index])

    def with_others(self, index: Any, others: Optimum) -> Optimum:
        """These answers, with others to some problems."""
        h, l, profit = self.high_multiplier.copy(), self.low_multiplier.copy(), self.profit.copy()
        h[index], l[index], profit[index] = others.high_multiplier, others.low_multiplier, others.profit
        return replace(self, high_multiplier=h, low_multiplier=l, profit=profit)


def maximize(
    terms: Problems,
    bounds: Bounds,
    step: float = STEP,
    touching: bool = True,
    tuning: Tuning = TUNING,
    floor: Floor | None = None,
) -> Optimum:
    """The exact maximum of every problem `[B, W]` for `bounds = ((h_min, h_max), (l_min, l_max))`.

    Candidates step `step` inside their cell. With `touching` those that lie on the line between two cells count too:
    levels that touch a price exactly, which float32 cannot hold. Ties go to the smaller `|h| + |l|`; (0, 0), or the
    point of the bounds nearest to it, is always a candidate. With a `floor` it is the best of the candidates that
    keep it, or one that does not where none does; the line of the floor itself is not searched (above_floor.py).
    """
    if tuning is TUNING and (compiled := CompiledTerms.of(terms)):
        return Optimum(*compiled.maximize(bounds, step, touching, floor))
    every = terms.gathered()
    xp, terms = namespace(every.legs[0].low), _placed(every)
    h, l = (xp.zeros_like(terms.legs[0].low[:, 0]) for _ in range(2))
    for members, some in _groups(terms, tuning):
        _, window, *edges = some.legs[0].weight.shape
        width = window * max(edges)
        size = max(1, (tuning.squares // width if width <= tuning.product else tuning.together) // width)
        for first in range(0, members.shape[0], size):
            rows = members[first : first + size]
            chosen = some if rows.shape[0] == len(terms) else some.at(_neighbors(rows))
            kept = None if floor is None else floor.at(rows)
            h[rows], l[rows] = best_of(Candidates.of(chosen, bounds, step, touching, tuning, kept), tuning)
    return Optimum(h, l, evaluate(every, h[:, None], l[:, None])[:, 0])


def _groups(terms: ProfitTerms, tuning: Tuning) -> list[tuple[Array, ProfitTerms]]:
    """Problems with take-profits, and where they are many those without, which have less to do: rows, and all terms."""
    xp = namespace(terms.legs[0].low)
    rows = numbers(len(terms), terms.legs[0].low)
    if math.prod(terms.legs[0].weight.shape) <= tuning.few:
        return [(rows, terms)]
    aiming = xp.any(xp.stack([xp.any(leg.weight != 0, axis=(1, 2, 3)) for leg in terms.legs]), axis=0)
    return [(rows[aiming], terms), (rows[~aiming], terms.at_close())]


def _neighbors(rows: Array) -> Array | slice:
    """Increasing rows, as a slice where they are neighbors: nothing is copied for it."""
    first, last = int(rows[0]), int(rows[-1])
    return slice(first, last + 1) if last - first + 1 == rows.shape[0] else rows


def _placed(terms: ProfitTerms) -> ProfitTerms:
    """The same terms without the bars on which a leg is placed in no problem, and without legs that never are."""
    xp = namespace(terms.legs[0].low)
    legs = []
    for leg in terms.legs:
        bars = xp.any(leg.per_lower != 0, axis=0)
        if xp.all(bars):
            legs.append(leg)
        elif xp.any(bars):
            legs.append(leg.map(itemgetter((slice(None), xp.nonzero(bars)[0]))))
    return ProfitTerms(tuple(legs) or terms.legs[:1])


def best_of(candidates: Candidates, tuning: Tuning) -> tuple[Array, Array]:
    """The best `(h, l)`, each `[B]`, in the quickest way."""
    xp = namespace(candidates.h)
    if candidates.separable and candidates.floor is None:
        h_at, l_at = (
            best_place(by, xp.abs(x))[:, None]
            for by, x in ((candidates.by_h, candidates.h), (candidates.by_l, candidates.l))
        )
        return pick(candidates.h, h_at)[:, 0], pick(candidates.l, l_at)[:, 0]
    leg = candidates.legs[0]
    if leg.short_window:
        return _best_of_grid(candidates)
    count, cells = candidates.h.shape[0], candidates.h.shape[1] * candidates.l.shape[1]
    few = tuning.interpolated_cells if leg.leg.interpolated else max(tuning.cells, tuning.all_cells // count)
    if cells <= few or leg.leg.weight.shape[2] == 1:  # one bin bounds little
        return _best_of_grids(candidates, tuning)
    h, l, known = Blocks.of(candidates, tuning).best()
    left = xp.nonzero(~known)[0]
    if left.shape[0]:
        h[left], l[left] = _best_of_grids(candidates.of_problems(left), tuning)
    return h, l


def _best_of_grids(candidates: Candidates, tuning: Tuning) -> tuple[Array, Array]:
    """The best of whole grids, of some problems after the other."""
    xp = namespace(candidates.h)
    row = tuning.interpolated_row if candidates.legs[0].leg.interpolated else tuning.row
    count, size = candidates.h.shape[0], max(1, row // candidates.h.shape[1])
    if size >= count:
        return _best_of_grid(candidates)
    parts = (candidates.of_problems(slice(first, first + size)) for first in range(0, count, size))
    h, l = zip(*(_best_of_grid(part) for part in parts), strict=True)
    return xp.concat(h), xp.concat(l)


def _best_of_grid(candidates: Candidates) -> tuple[Array, Array]:
    """The best of the whole grid."""
    xp = namespace(candidates.h)
    h, l = candidates.h, candidates.l
    grid = sum((leg.grid(h, l) for leg in candidates.legs), candidates.by_h[:, None, :])
    if candidates.floor is not None:
        grid = xp.where(candidates.floor.allows(h[:, None, :], l[:, :, None]), grid, -xp.inf)
    profit = xp.max(grid, axis=2) + candidates.by_l
    problem, row = xp.nonzero(profit >= xp.max(profit, axis=1, keepdims=True) - TIE)
    at = best_place(grid[problem, row], xp.abs(h)[problem])
    size, at_h = xp.full_like(profit, xp.inf), xp.zeros_like(profit)
    at_h[problem, row] = h[problem, at]
    size[problem, row] = xp.abs(h[problem, at]) + xp.abs(l[problem, row])
    best = xp.argmin(size, axis=1)[:, None]
    return pick(at_h, best)[:, 0], pick(l, best)[:, 0]
