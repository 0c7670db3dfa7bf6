"""The covariance matrix adaptation evolution strategy of its author's package (Hansen 2016)."""

from __future__ import annotations

import cma
import numpy as np

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Objective

WIDTH = 0.25  # of the first step, in units of the bounds' width
CONVERGED = 1e-3  # step, in the same units: steps of a staircase are not much narrower


class Cma(Search):
    """`cma.CMAEvolutionStrategy` on the unit square, each generation as one batch.

    When it has converged it starts again at a random place with twice the population (Auger and Hansen 2005).
    """

    def search(self, objective: Objective, seed: int) -> None:
        """Evolve until the limits."""
        rng = np.random.default_rng(seed)
        low, high = np.array(objective.bounds).T
        options = {
            "bounds": [0, 1],
            "tolx": CONVERGED,
            "tolfun": objective.limits.tolerance,
            "seed": np.nan,  # leave the global generator alone
            "randn": lambda *shape: rng.standard_normal(shape),
            "verbose": -9,
        }
        members = 6
        while True:
            strategy = cma.CMAEvolutionStrategy(rng.uniform(size=2), WIDTH, options | {"popsize": members})
            while not strategy.stop():
                points = strategy.ask()
                strategy.tell(points, objective.losses(low + (high - low) * np.array(points)).tolist())
            members *= 2
