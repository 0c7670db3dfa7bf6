"""Differential evolution (Storn and Price 1997) with the reference system's settings."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import optimize

from marketsim.fills import ProfitTerms
from marketsim.surface import Bounds, Optimum, evaluate


class DifferentialEvolution:
    """`scipy.optimize.differential_evolution`, a problem at a time, each generation as one batch."""

    def fit(self, terms: ProfitTerms, bounds: Bounds, seed: int) -> Optimum:
        """The best that 50 generations find; every problem draws from the same seed."""
        found = np.empty((len(terms), 3))
        for b in range(len(found)):
            result = optimize.differential_evolution(
                partial(_losses, terms.at(np.array([b]))),
                bounds,
                maxiter=50,
                popsize=10,
                atol=1e-5,
                rng=seed,
                vectorized=True,
                updating="deferred",
            )
            found[b] = *result.x, -np.ravel(result.fun)[0]
        return Optimum(*found.T)


def _losses(problem: ProfitTerms, x: NDArray[np.float64]) -> Any:
    """Losses `[P]` of candidates `[2, P]`, or `[2]` while the best is polished."""
    h, l = x.reshape(2, 1, -1)
    return -evaluate(problem, h, l)[0]
