"""Basin hopping (Wales and Doye 1997): random steps, each followed by a local search."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize

from marketsim.optimizers import Search
from marketsim.optimizers.objective import UNLIMITED, Objective

STEP = 0.25  # of the bounds' width, at most
COARSE = 1e-2  # relative, where a local search ends: many short ones find more than a few long ones


class BasinHopping(Search):
    """`scipy.optimize.basinhopping` with Powell's method, which needs no slopes, a candidate at a time."""

    def search(self, objective: Objective, seed: int) -> None:
        """Hop from a random place until the limits."""
        rng = np.random.default_rng(seed)
        low, high = np.array(objective.bounds).T

        def hop(x: Any) -> Any:
            return np.clip(x + STEP * (high - low) * rng.uniform(-1, 1, 2), low, high)

        local: Any = {
            "method": "Powell",
            "bounds": objective.bounds,
            "options": {"xtol": COARSE, "ftol": max(COARSE, objective.limits.tolerance)},
        }
        start = rng.uniform(low, high)
        optimize.basinhopping(objective, start, niter=UNLIMITED, minimizer_kwargs=local, take_step=hop, rng=rng)
