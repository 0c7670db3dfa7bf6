"""The best multipliers above the floor, for the few problems whose optimum is below it."""

from __future__ import annotations

import numpy as np

from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import TIE
from marketsim.execution.window_terms import Problems
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.floor_line import best_on_line
from marketsim.optimizers.exact.maximum import STEP, Optimum, maximize
from marketsim.optimizers.exact.tuning import TUNING, Tuning


def above_floor(
    found: Optimum,
    terms: Problems,
    bounds: Bounds,
    floor: Floor,
    step: float = STEP,
    tuning: Tuning = TUNING,
    at_once: int | None = None,
) -> Optimum:
    """The optima `found` of problems `[B, W]`, and in place of those below the floor the best that keep it.

    An optimum that keeps the floor is the best that does. In the other problems the best that does is a candidate, or
    lies on the line where the floor begins; of those that earn nothing, as without an order, the best candidate will
    do. Where nothing inside the bounds keeps the floor, the answer does not either.
    `at_once` problems are searched together, which bounds memory; None: all of them.
    """
    (below,) = np.nonzero(~floor.allows(found.high_multiplier, found.low_multiplier))
    size = len(below) if at_once is None else at_once
    for first in range(0, len(below), size or 1):
        rows = below[first : first + size]
        some, floors = terms.at(rows), floor.at(rows)
        corner = maximize(some, bounds, step, tuning=tuning, floor=floors)
        most = found.profit[rows]
        (wanting,) = np.nonzero((most > TIE) | (corner.profit < most - TIE))
        if len(wanting):
            better = _better_on_line(corner.at(wanting), some.at(wanting), bounds, floors.at(wanting), step)
            corner = corner.with_others(wanting, better)
        found = found.with_others(rows, corner)
    return found


def _better_on_line(corner: Optimum, terms: Problems, bounds: Bounds, floor: Floor, step: float) -> Optimum:
    """The best candidates, or what is better on the lines of the floors."""
    h, l, profit = best_on_line(terms.gathered(), bounds, floor, step)
    lost = ~floor.allows(corner.high_multiplier, corner.low_multiplier)
    size = np.abs(h) + np.abs(l) < np.abs(corner.high_multiplier) + np.abs(corner.low_multiplier)
    better = (profit > corner.profit + TIE) | (size & (profit >= corner.profit - TIE)) | (lost & (profit > -np.inf))
    return Optimum(
        high_multiplier=np.where(better, h, corner.high_multiplier),
        low_multiplier=np.where(better, l, corner.low_multiplier),
        profit=np.where(better, profit, corner.profit),
    )
