"""The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio and Kegl 2011)."""

from __future__ import annotations

import optuna

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Objective


class Tpe(Search):
    """`optuna.samplers.TPESampler`, a candidate at a time."""

    def search(self, objective: Objective, seed: int) -> None:
        """Ask for a trial and tell its loss until the limits."""
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        (h_min, h_max), (l_min, l_max) = objective.bounds
        while True:
            trial = study.ask()
            x = trial.suggest_float("h", h_min, h_max), trial.suggest_float("l", l_min, l_max)
            study.tell(trial, objective(x))
