"""The exact maximum, all problems at once: no budget, no seed."""

from __future__ import annotations

from marketsim.fills import ProfitTerms
from marketsim.surface import Bounds, Optimum, maximise


class Exact:
    """`surface.maximise` as an optimiser."""

    def fit(self, terms: ProfitTerms, bounds: Bounds, seed: int) -> Optimum:
        """The best of every problem; the seed is not needed."""
        return maximise(terms, bounds)
