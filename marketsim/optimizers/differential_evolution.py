"""Differential evolution (Storn and Price 1997) with the reference system's settings."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Limits, Objective

MEMBERS = 20  # of the population, ten a multiplier
GENERATIONS = 50


class DifferentialEvolution(Search):
    """`scipy.optimize.differential_evolution`, each generation as one batch."""

    limits = Limits()  # fifty generations, and polishing

    def search(self, objective: Objective, seed: int) -> None:
        """Evolve, then polish."""
        self._evolve(objective, seed)

    def answer(self, objective: Objective, seed: int) -> tuple[float, float, float]:
        """The best of the last generation, polished."""
        result = self._evolve(objective, seed)
        ((h, l),) = objective.allowed(result.x[None]).tolist()
        return h, l, -float(np.ravel(result.fun)[0])

    def _evolve(self, objective: Objective, seed: int) -> optimize.OptimizeResult:
        def losses(x: NDArray[np.float64]) -> Any:  # of candidates [2, P], or [2] while the best is polished
            return objective.losses(x.reshape(2, -1).T)

        return optimize.differential_evolution(
            losses,
            objective.bounds,
            maxiter=max(1, objective.at_most((GENERATIONS + 1) * MEMBERS) // MEMBERS - 1),
            popsize=MEMBERS // 2,
            atol=objective.limits.tolerance,
            rng=seed,
            vectorized=True,
            updating="deferred",
        )
