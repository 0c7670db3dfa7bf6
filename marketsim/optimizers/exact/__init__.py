"""The exact maximum, all problems at once: no budget, no seed."""

from __future__ import annotations

from marketsim.execution.floor import Floor
from marketsim.execution.window_terms import Problems
from marketsim.optimizers.exact.above_floor import above_floor
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import FINE, Optimum, maximize
from marketsim.optimizers.objective import Objective


class Exact:
    """`maximize` as an optimizer."""

    stochastic = False

    def search(self, objective: Objective, seed: int) -> None:
        """Solve instead, and evaluate once what came out."""
        optimum = maximize(objective.terms, objective.bounds, FINE)
        if objective.floor is not None:
            optimum = above_floor(optimum, objective.terms, objective.bounds, objective.floor, FINE)
        objective.losses([[optimum.high_multiplier[0], optimum.low_multiplier[0]]])

    def fit(self, terms: Problems, bounds: Bounds, seed: int, floor: Floor | None = None) -> Optimum:
        """The best of every problem; the seed is not needed."""
        found = self.maximum(terms, bounds)
        return found if floor is None else above_floor(found, terms, bounds, floor)

    def maximum(self, terms: Problems, bounds: Bounds) -> Optimum:
        """The best of every problem without a floor."""
        return maximize(terms, bounds)
