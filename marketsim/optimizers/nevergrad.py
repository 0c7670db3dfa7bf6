"""Two of nevergrad's optimizers: a differential evolution, and the one that chooses among all of them."""

from __future__ import annotations

import warnings

import nevergrad
import numpy as np

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Objective

LEAST = 500  # evaluations that it is told of: for 101 to 499 NGOpt takes a metamodel, which fails on numpy 2.4


class _Nevergrad(Search):
    method: str

    def search(self, objective: Objective, seed: int) -> None:
        """Ask for a candidate and tell its loss until the limits."""
        low, high = np.array(objective.bounds).T
        space = nevergrad.p.Array(shape=(2,), lower=low, upper=high)
        space.random_state = np.random.RandomState(seed)
        optimizer = nevergrad.optimizers.registry[self.method](
            space, budget=max(objective.limits.evaluations or 0, LEAST)
        )
        with warnings.catch_warnings():
            for told in ("orphanated injected solution", "COBYLA: Invalid RHOEND", "Underlying optimizer has already"):
                warnings.filterwarnings("ignore", told)  # what NGOpt chooses among
            while True:
                candidate = optimizer.ask()
                optimizer.tell(candidate, objective(candidate.value))


class TwoPointsDE(_Nevergrad):
    """Differential evolution with two-points crossover."""

    method = "TwoPointsDE"


class NGOpt(_Nevergrad):
    """Nevergrad's own choice for two variables and this budget (Meunier et al. 2022)."""

    method = "NGOpt"
