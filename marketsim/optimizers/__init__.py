"""Optimisers of the two multipliers: one file each, one protocol."""

from __future__ import annotations

from typing import Protocol

from marketsim.fills import ProfitTerms
from marketsim.surface import Bounds, Optimum


class Optimizer(Protocol):
    """Fits every problem `[B, M]` inside the bounds; the same seed gives the same answer."""

    def fit(self, terms: ProfitTerms, bounds: Bounds, seed: int) -> Optimum:
        """The multipliers found for each problem, and the profit that they attain."""
        ...
