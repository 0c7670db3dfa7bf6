"""Bayesian optimization: a Gaussian process and the logarithm of expected improvement (Ament et al. 2023)."""

from __future__ import annotations

import warnings

import numpy as np
import torch

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Limits, Objective

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
    from botorch.acquisition import LogExpectedImprovement
    from botorch.fit import fit_gpytorch_mll
    from botorch.models import SingleTaskGP
    from botorch.optim import optimize_acqf
    from botorch.utils.sampling import draw_sobol_samples
    from gpytorch.mlls import ExactMarginalLogLikelihood

FIRST = 8  # Sobol points before there is a model


class BayesianOptimization(Search):
    """`botorch` on the unit square, a candidate at a time."""

    limits = Limits(evaluations=30)  # each one costs a fit of the process

    def search(self, objective: Objective, seed: int) -> None:
        """Model the profits and take the point that promises most, until the limits."""
        low, high = np.array(objective.bounds).T

        def profits(points: torch.Tensor) -> torch.Tensor:
            return -torch.as_tensor(objective.losses(low + (high - low) * points.numpy()))[:, None]

        unit = torch.tensor([[0.0, 0.0], [1.0, 1.0]], dtype=torch.float64)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            x = draw_sobol_samples(unit, FIRST, 1, seed=seed)[:, 0]
            y = profits(x)
            while True:
                model = SingleTaskGP(x, y)
                fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))
                promise = LogExpectedImprovement(model, y.max())
                with warnings.catch_warnings():  # it begins anew by itself, and any point will do
                    warnings.filterwarnings("ignore", "Optimization failed", RuntimeWarning)
                    point, _ = optimize_acqf(promise, unit, q=1, num_restarts=4, raw_samples=64)
                x, y = torch.cat([x, point]), torch.cat([y, profits(point)])
