"""Two global optimizers of NLopt (Johnson)."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import nlopt
import numpy as np
from numpy.typing import NDArray

from marketsim.optimizers import Search
from marketsim.optimizers.objective import Objective


class _Nlopt(Search):
    method: int

    def search(self, objective: Objective, seed: int) -> None:
        """Search until the limits, or until the method itself has converged."""
        nlopt.srand(seed)
        opt = nlopt.opt(self.method, 2)
        low, high = zip(*objective.bounds, strict=True)
        opt.set_lower_bounds(low)
        opt.set_upper_bounds(high)
        ended: list[BaseException] = []

        def loss(x: NDArray[np.float64], gradient: Any) -> float:
            try:
                return objective(x) if not ended else np.inf
            except BaseException as end:  # must not pass through a method that is not ready to stop
                ended.append(end)
                opt.force_stop()
                return np.inf

        opt.set_min_objective(loss)
        with suppress(nlopt.ForcedStop):
            opt.optimize([(a + b) / 2 for a, b in objective.bounds])
        if ended:
            raise ended[0]


class DirectL(_Nlopt):
    """DIRECT with a bias to local search (Gablonsky and Kelley 2001)."""

    stochastic = False
    method = nlopt.GN_DIRECT_L


class Crs2(_Nlopt):
    """Controlled random search with local mutation (Kaelo and Ali 2006)."""

    method = nlopt.GN_CRS2_LM
