"""Optimizers of the two multipliers: one file each, one protocol.

An optimizer is handed a counted, clocked and bounded objective, and searches it until it has enough or is stopped.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

import numpy as np

from marketsim.execution.floor import Floor
from marketsim.execution.window_terms import Problems
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import Optimum
from marketsim.optimizers.objective import Limits, Objective, Spent


class Optimizer(Protocol):
    """The same seed gives the same answer; what is not `stochastic` needs none."""

    stochastic: bool

    def search(self, objective: Objective, seed: int) -> None:
        """Search one problem; the objective remembers the best, and ends it by raising Spent."""
        ...

    def fit(self, terms: Problems, bounds: Bounds, seed: int, floor: Floor | None = None) -> Optimum:
        """The multipliers found for each of the problems `[B, W]`, and the profit that they attain.

        All of them keep the `floor` `[B]`, where anything inside the bounds does.
        """
        ...


class Search:
    """An optimizer that searches one problem at a time; every problem draws from the same seed."""

    stochastic = True
    limits = Limits(evaluations=500)  # of a fit

    def search(self, objective: Objective, seed: int) -> None:
        """Search one problem."""
        raise NotImplementedError

    def answer(self, objective: Objective, seed: int) -> tuple[float, float, float]:
        """`(h, l, profit)` of a fit: the best that was seen. ArithmeticError when no profit was finite."""
        with suppress(Spent):
            self.search(objective, seed)
        if (best := objective.best) is None:
            raise ArithmeticError("no candidate had a finite profit")
        return best.high_multiplier, best.low_multiplier, best.profit

    def fit(self, terms: Problems, bounds: Bounds, seed: int, floor: Floor | None = None) -> Optimum:
        """The answer to every problem within `limits`."""
        problems = (
            Objective(terms.at(rows).gathered(), bounds, self.limits, None if floor is None else floor.at(rows))
            for rows in np.arange(len(terms))[:, None]
        )
        h, l, profit = np.array([self.answer(problem, seed) for problem in problems]).T
        return Optimum(high_multiplier=h, low_multiplier=l, profit=profit)
