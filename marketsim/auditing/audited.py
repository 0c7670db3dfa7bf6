"""The walk of a symbol as a backtest runs it, with which all checks of an audit compare."""

from __future__ import annotations

import itertools

import numpy as np
from msgspec import Struct

from marketsim.auditing.calls import one_by_one
from marketsim.auditing.chain import Chain, first_cut
from marketsim.auditing.kept_forecasts import KeptForecasts
from marketsim.auditing.trace import Trace
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk
from marketsim.forecasting.ensembles import is_given, members_of
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.keys import reads_contexts
from marketsim.forecasting.tolerance import tolerance_of
from marketsim.results.result import Result


class Audited(Struct, frozen=True):
    """A symbol's walk, and its forecasts, which were made in two ways."""

    chain: Chain
    bars: Bars
    walk: Walk
    alone: Forecasts  # each from the bars up to its origin, and from nothing else
    forecasts: Forecasts  # as a run makes them
    result: Result
    base: Trace  # of the run
    kept: KeptForecasts  # of models that are handed contexts
    seed: int

    @classmethod
    def of(cls, chain: Chain, bars: Bars, walk: Walk, seed: int) -> Audited:
        """Run the walk, first each origin separately, while the model has never seen a later bar."""
        alone = chain.forecasts(bars, walk, calls=one_by_one)
        kept = KeptForecasts.of_contexts(chain.tools.model)
        forecasts = chain.forecasts(bars, walk, cache=kept)
        result = chain.result(bars, walk, forecasts)
        return cls(
            chain=chain,
            bars=bars,
            walk=walk,
            alone=alone,
            forecasts=forecasts,
            result=result,
            base=chain.trace(bars, forecasts).plus(result),
            kept=kept,
            seed=seed,
        )

    @property
    def last(self) -> int:
        """The newest bar."""
        return int(self.walk.origins[-1])

    @property
    def tolerance(self) -> float:
        """Moves, that rounding may make."""
        return max(map(tolerance_of, members_of(self.chain.tools.model)))

    @property
    def reads_contexts(self) -> bool:
        """Whether the model never gets bars after an origin."""
        return all(map(reads_contexts, members_of(self.chain.tools.model)))

    @property
    def is_given(self) -> bool:
        """Whether the forecasts come from a file, and so do not depend on the bars."""
        return is_given(self.chain.tools.model)

    def cuts(self, count: int) -> list[int]:
        """Origins after which the future is changed: one at random in each of so many stretches of the walk."""
        first, end = first_cut(self.walk), self.last
        edges = np.linspace(first, end, min(count, end - first) + 1).astype(int)
        rng = np.random.default_rng(self.seed)
        return [int(rng.integers(low, high)) for low, high in itertools.pairwise(edges)]
