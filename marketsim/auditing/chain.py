"""The audited chain from bars to plan, which the checks run again."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.auditing.calls import Calls, called
from marketsim.auditing.trace import Keys, Trace, trace_forecasts
from marketsim.backtesting.pipeline import Prepared, Tools, evaluate_walk
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk, make_walk
from marketsim.errors import value_of
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.keys import keys_of
from marketsim.forecasting.protocols import Cache
from marketsim.forecasting.requests import ForecastRequest
from marketsim.profiling import Clock
from marketsim.results.result import Result
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.settings import Settings


class Chain(Struct, frozen=True):
    """From bars to plan: a model, the settings, and the keys that the cache would use."""

    tools: Tools
    settings: Settings
    keys: Keys = keys_of

    def forecasts(
        self,
        bars: Bars,
        walk: Walk,
        *,
        calls: Calls | None = None,
        beside: ForecastRequest | None = None,
        cache: Cache | None = None,
    ) -> Forecasts:
        """The model's forecasts on a walk.

        It is called as `calls` says, and forecasts another symbol `beside` this one, first. Nothing is cached, unless a
        `cache` is given.
        """
        model = self.tools.model if calls is None else called(self.tools.model, calls)
        request = ForecastRequest(bars, walk.origins, walk.judged)
        forecaster = Forecaster(model, cache, Clock(), batch=self.settings.network.batch)
        outcomes = forecaster.forecasts([request] if beside is None else [beside, request])
        return value_of(outcomes[-1])

    def forecasts_at(self, bars: Bars, origins: NDArray[np.int64]) -> Forecasts:
        """The model's forecasts at `origins`, independent of the walk."""
        (outcome,) = Forecaster(self.tools.model, None, Clock()).forecasts([ForecastRequest(bars, origins)])
        return value_of(outcome)

    def trace(self, bars: Bars, forecasts: Forecasts) -> Trace:
        """The forecasts of these bars, and their keys."""
        return trace_forecasts(bars, forecasts.origins, forecasts.moves, self.tools.model, self.keys)

    def result(self, bars: Bars, walk: Walk, forecasts: Forecasts) -> Result:
        """The result of the walk over `bars` with these forecasts: fits, trades and plan."""
        return evaluate_walk(Prepared(bars, walk), forecasts, self.settings, self.tools, Clock())


def walk_until(walk: Walk, bars: Bars, origin: int) -> Walk:
    """The walk as it was when `origin` was the newest bar: the same first origin, fewer simulations."""
    window = walk.windows.shape[1]
    simulations = origin - int(walk.origins[0]) - window
    earlier = make_walk(origin + 1, simulations, window, 1, bars.symbol)
    return replace(earlier, judged=walk.judged)


def first_cut(walk: Walk) -> int:
    """The earliest origin at which a shortened walk is possible."""
    return int(walk.origins[0]) + int(walk.windows.shape[1]) + 1


def profits(result: Result) -> dict[str, float]:
    """Out-of-sample profit of each strategy by the fills of the headline, in basis points a bar."""
    return {track.name: BASIS_POINTS * float(np.mean(track.profits[result.rules.fill])) for track in result.strategies}
