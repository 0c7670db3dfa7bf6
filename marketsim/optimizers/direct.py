"""DIRECT, dividing rectangles (Jones, Perttunen and Stuckman 1993), as the reference system runs it."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace
from scipy import optimize

from marketsim.execution.floor import Floor
from marketsim.execution.window_terms import Problems
from marketsim.optimizers import Search
from marketsim.optimizers.differential_evolution import DifferentialEvolution
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import Optimum
from marketsim.optimizers.objective import UNLIMITED, Limits, Objective

EVALUATIONS = 500


class Direct(Search):
    """`scipy.optimize.direct`, a problem at a time and a candidate at a time."""

    stochastic = False
    limits = Limits()  # DIRECT divides all rectangles of an iteration, and may end a few evaluations late

    def search(self, objective: Objective, seed: int) -> None:
        """Divide rectangles; the seed is not needed."""
        self._divide(objective)

    def answer(self, objective: Objective, seed: int) -> tuple[float, float, float]:
        """The center of the best rectangle; ArithmeticError when its profit is not finite."""
        result = self._divide(objective)
        if not (np.isfinite(result.x).all() and np.isfinite(result.fun)):
            raise ArithmeticError("DIRECT found no finite profit")
        ((h, l),) = objective.allowed(result.x[None]).tolist()
        return h, l, -float(result.fun)

    def _divide(self, objective: Objective) -> optimize.OptimizeResult:
        return optimize.direct(objective, objective.bounds, maxfun=objective.at_most(EVALUATIONS), maxiter=UNLIMITED)

    def fit(self, terms: Problems, bounds: Bounds, seed: int, floor: Floor | None = None) -> Optimum:
        """The best that 500 evaluations find.

        A problem on which it fails is fitted by differential evolution instead, with the seed, and counted.
        """
        found = []
        for rows in np.arange(len(terms))[:, None]:
            problem = terms.at(rows), bounds, seed, None if floor is None else floor.at(rows)
            try:
                found.append(super().fit(*problem))
            except (ArithmeticError, RuntimeError, ValueError):
                found.append(replace(DifferentialEvolution().fit(*problem), fallbacks=1))
        return Optimum.concatenate(found)
