"""DIRECT, dividing rectangles (Jones, Perttunen and Stuckman 1993), as the reference system runs it."""

from __future__ import annotations

import numpy as np
from scipy import optimize

from marketsim.fills import ProfitTerms
from marketsim.optimizers.differential_evolution import DifferentialEvolution
from marketsim.surface import Bounds, Optimum, evaluate

EVALUATIONS = 500


class Direct:
    """`scipy.optimize.direct`, a problem at a time and a candidate at a time.

    A problem on which it fails is fitted by differential evolution instead, and counted.
    """

    def fit(self, terms: ProfitTerms, bounds: Bounds, seed: int) -> Optimum:
        """The best that 500 evaluations find; the seed is for the fallback."""
        found = np.empty((len(terms), 3))
        fallbacks = 0
        for b in range(len(found)):
            problem = terms.at(np.array([b]))
            try:
                found[b] = _search(problem, bounds)
            except (ArithmeticError, RuntimeError, ValueError):
                other = DifferentialEvolution().fit(problem, bounds, seed)
                found[b] = other.high_multiplier[0], other.low_multiplier[0], other.profit[0]
                fallbacks += 1
        h, l, profit = found.T
        return Optimum(h, l, profit, fallbacks)


def _search(problem: ProfitTerms, bounds: Bounds) -> tuple[float, float, float]:
    """The best `(h, l, profit)`; ArithmeticError when it is not finite."""

    def loss(x: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
        return -float(evaluate(problem, x[None, :1], x[None, 1:])[0, 0])

    result = optimize.direct(loss, bounds, maxfun=EVALUATIONS)
    if not (np.isfinite(result.x).all() and np.isfinite(result.fun)):
        raise ArithmeticError("DIRECT found no finite profit")
    return float(result.x[0]), float(result.x[1]), -float(result.fun)
