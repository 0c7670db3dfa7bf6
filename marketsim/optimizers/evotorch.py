"""Two evolution strategies of EvoTorch, the whole population as one batch."""

from __future__ import annotations

import logging
import warnings
from typing import Any

import numpy as np
import torch

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Objective

LOG = logging.getLogger("evotorch")

LOG.disabled = True  # its import has something to say wherever logging was set up before
with warnings.catch_warnings():
    warnings.filterwarnings("ignore", "`torch.jit", DeprecationWarning)
    import evotorch
    from evotorch.algorithms import CMAES, SNES
LOG.disabled = False

MEMBERS = 20
WIDTH = 0.25  # of the first step, in units of the bounds' width


class _EvoTorch(Search):
    strategy: Any

    def search(self, objective: Objective, seed: int) -> None:
        """Evolve on the unit square until the limits."""
        low, high = np.array(objective.bounds).T

        def losses(points: torch.Tensor) -> torch.Tensor:
            return torch.as_tensor(objective.losses(low + (high - low) * points.numpy()))

        LOG.setLevel(logging.WARNING)  # what is less it writes to stdout
        problem = evotorch.Problem(
            "min",
            losses,
            solution_length=2,
            initial_bounds=([0.0, 0.0], [1.0, 1.0]),  # one pair for both is where its searches go astray
            vectorized=True,
            dtype=torch.float64,
            seed=seed,
        )
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "To copy construct from a tensor", UserWarning)
            warnings.filterwarnings("ignore", "__array_wrap__ must accept context", DeprecationWarning)
            searcher = self.strategy(problem, stdev_init=WIDTH, popsize=MEMBERS)
            while True:
                searcher.step()


class EvoCmaes(_EvoTorch):
    """Covariance matrix adaptation (Hansen 2016)."""

    strategy = CMAES


class Snes(_EvoTorch):
    """Separable natural evolution strategies (Schaul, Glasmachers and Schmidhuber 2011)."""

    strategy = SNES
