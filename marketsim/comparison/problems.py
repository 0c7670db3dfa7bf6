"""What the optimisers compete on: a symbol's real windows, or the reference system's own benchmark."""

from __future__ import annotations

from contextlib import nullcontext
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.backtesting.pipeline import Progress, open_tools, prepare
from marketsim.backtesting.simulation import POLICIES, Market, strategies_of, window_terms
from marketsim.comparison.optimizers import Contest
from marketsim.errors import DataError, value_of
from marketsim.execution.track_record import book
from marketsim.forecasting.forecaster import Forecaster
from marketsim.optimizers.exact.maximum import Bounds
from marketsim.profiling import Clock
from marketsim.reference.benchmark import FEE, benchmark_bars
from marketsim.reference.fees import PUBLISHED, Fee
from marketsim.reference.terms import reference_terms
from marketsim.settings.choices import BASIS_POINTS, ENTRY_EXIT, TOUCH
from marketsim.settings.settings import Settings


def real_contest(symbol: str, settings: Settings, progress: Progress) -> tuple[Contest, tuple[str, ...]]:
    """The fits of a walk over a symbol's newest bars, and remarks about those bars.

    Of `all` strategies it is `entry-exit`, or `always-on` where that one never places an order: one that does
    nothing has nothing to optimise. DataError where neither does.
    """
    clock = Clock()
    tools = open_tools(settings, clock)
    with tools.cache or nullcontext():
        ready = value_of(prepare(symbol, settings.bars, settings.walk, tools, clock))
        bars, walk = ready.bars, ready.walk
        remarks: list[str] = []
        forecaster = Forecaster(tools.model, tools.cache, clock, progress, remarks, settings.network.batch)
        (outcome,) = forecaster.forecasts([ready.request])
    forecasts = value_of(outcome)
    notes = (*bars.notes, *forecasts.notes, *remarks, *(tools.cache.warnings if tools.cache else ()))
    market = Market.of(bars, walk, forecasts, settings.costs)
    rules = settings.rules
    for name in strategies_of(rules):
        legs = market.legs(name)
        used = legs.at(walk.windows[:-1])
        if used.long.any() or (used.short is not None and used.short.any()):
            break
    else:
        raise DataError(f"{bars.symbol}: {rules.strategy} places no order in any window: nothing to optimise")
    costs, terms = market.costs, window_terms([legs], market, rules)
    at, then, placed = market.levels.at(walk.evaluated), market.outcomes.at(walk.evaluated), legs.at(walk.evaluated)

    def booked(
        windows: NDArray[np.int64], h: NDArray[np.float64], l: NDArray[np.float64], eod: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        track = book(name, at.at(windows), then.at(windows), placed.at(windows), costs, rules.fill, (h, l), eod)
        return track.profits[rules.fill]

    facts: dict[str, Any] = {
        "name": bars.symbol,
        "source": bars.source,
        "fingerprint": bars.fingerprint,
        "first": str(bars.time[walk.origins[walk.evaluated[-1]] + 1].astype("datetime64[D]")),
        "last": str(bars.time[walk.origins[walk.evaluated[0]] + 1].astype("datetime64[D]")),
        "model": tools.model.name,
        "strategy": name,
        "fill": rules.fill,
        "fee_bps": market.fee_bps,
        "slippage_bps": settings.costs.slippage_bps,
    }
    windows = tuple(each.at(slice(-1)) for each in terms)
    policies = POLICIES[rules.close_at_eod]
    return Contest(facts, windows, policies, (rules.bounds, rules.bounds), booked), notes


def reference_contest(bounds: Bounds) -> Contest:
    """The benchmark that the reference system published: 200 bars, its rule and its fee, both policies."""
    bars = {name: values.astype(np.float64) for name, values in benchmark_bars().items()}
    bars["positions"] = bars["positions"][None]
    policies = (False, True)
    fee = Fee.of(FEE, PUBLISHED.name)
    terms = tuple(reference_terms(**bars, close_at_eod=eod, fee=fee).at(None) for eod in policies)
    facts: dict[str, Any] = {
        "name": "reference",
        "source": f"the 200 bars of its published benchmark, fees by its rule of {PUBLISHED.name}",
        "strategy": ENTRY_EXIT,
        "fill": TOUCH,
        "fee_bps": BASIS_POINTS * FEE,  # a trade, not a side
        "slippage_bps": 0.0,
    }
    return Contest(facts, terms, policies, bounds)
