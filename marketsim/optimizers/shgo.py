"""Simplicial homology global optimization (Endres, Sandrock and Focke 2018)."""

from __future__ import annotations

from scipy import optimize

from marketsim.optimizers import Search
from marketsim.optimizers.objective import UNLIMITED, Objective

POINTS = 64  # a power of two, as a Sobol sequence wants


class Shgo(Search):
    """`scipy.optimize.shgo` on Sobol points, more of them each time until the limits."""

    stochastic = False

    def search(self, objective: Objective, seed: int) -> None:
        """Sample, build the complex, refine its minima; the seed is not needed."""
        optimize.shgo(
            objective,
            objective.bounds,
            n=POINTS,
            iters=UNLIMITED,
            sampling_method="sobol",
            options={"f_tol": objective.limits.tolerance},
        )
