"""A regular grid."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy import optimize

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Objective

COARSEST = 21  # places of each multiplier, where only the clock ends a search


class Brute(Search):
    """`scipy.optimize.brute`, the whole grid as one batch."""

    stochastic = False

    def search(self, objective: Objective, seed: int) -> None:
        """The finest grid that the evaluations allow; without their number, finer ones until the time is up."""

        def together(loss: Callable[[Any], Any], points: Iterable[Any]) -> Any:
            return objective.losses(np.array(list(points)))

        def grid(places: int) -> None:
            optimize.brute(objective, objective.bounds, Ns=places, finish=None, workers=together)

        if (budget := objective.limits.evaluations) is not None:
            grid(max(1, math.isqrt(budget)))
            return
        places = COARSEST
        while True:
            grid(places)
            places = 2 * places - 1
