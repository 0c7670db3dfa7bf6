"""The exact maximum on a device of torch's: the same lines as on arrays."""

from __future__ import annotations

import torch

from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import Optimum, maximize
from marketsim.optimizers.exact.tuning import DEVICE


class ExactOn(Exact):
    """`maximize` in float64 on `device`; terms go there once, and three numbers a problem come back."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def maximum(self, terms: ProfitTerms, bounds: Bounds) -> Optimum:
        """The best of every problem without a floor; what a floor forbids is searched again where the terms are."""
        found = maximize(terms.map(lambda array: torch.as_tensor(array, device=self.device)), bounds, tuning=DEVICE)
        h, l, profit = torch.stack([found.high_multiplier, found.low_multiplier, found.profit]).cpu().numpy()
        return Optimum(high_multiplier=h, low_multiplier=l, profit=profit)
