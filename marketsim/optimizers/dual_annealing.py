"""Generalized simulated annealing with local searches (Xiang, Sun, Fan and Gong 1997)."""

from __future__ import annotations

from scipy import optimize

from marketsim.optimizers import Search
from marketsim.optimizers.objective import UNLIMITED, Objective


class DualAnnealing(Search):
    """`scipy.optimize.dual_annealing`, a candidate at a time."""

    def search(self, objective: Objective, seed: int) -> None:
        """Anneal until the limits."""
        optimize.dual_annealing(objective, objective.bounds, maxiter=UNLIMITED, maxfun=UNLIMITED, rng=seed)
