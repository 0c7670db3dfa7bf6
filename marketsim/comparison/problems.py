"""The problems of a comparison of optimizers: a symbol's windows, or the reference system's benchmark."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.backtesting.pipeline import Progress, open_forecaster, open_tools, prepare
from marketsim.backtesting.simulation import POLICIES, Market, market_terms, strategies_of, windows_of
from marketsim.comparison.schema import Policy, ProblemFacts
from marketsim.errors import DataError, value_of
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import book
from marketsim.execution.window_terms import Problems
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import FINE, Optimum, maximize
from marketsim.profiling import Clock
from marketsim.reference.benchmark import FEE, benchmark_bars
from marketsim.reference.fees import PUBLISHED, Fee
from marketsim.reference.terms import reference_terms
from marketsim.settings.choices import BASIS_POINTS, ENTRY_EXIT, TOUCH
from marketsim.settings.settings import Settings

Floats = NDArray[np.float64]
# profits [K] on the bars after windows [K], with multipliers h and l and policies close_at_eod [K]
Booking = Callable[[NDArray[np.int64], Floats, Floats, NDArray[np.bool_]], Floats]


class FitProblems(Struct, frozen=True):
    """V windows of W bars, each to be fitted under every closing policy."""

    facts: ProblemFacts
    terms: tuple[Problems, ...]  # [V, W] for each policy
    policies: tuple[bool, ...]  # close_at_eod
    bounds: Bounds
    book: Booking | None = None  # None where no bar follows a window

    @property
    def windows(self) -> int:
        """V."""
        return self.facts.windows

    @property
    def per_bar(self) -> float:
        """Basis points a bar, for each unit of profit over a window."""
        return BASIS_POINTS / self.facts.bars

    def problem(self, window: int, policy: int) -> ProfitTerms:
        """One of the problems, `[1, W]`."""
        return self.terms[policy].at(np.array([window])).gathered()

    def solve(self) -> Optima:
        """The proven optimum of every problem."""
        start = time.perf_counter()
        found = [maximize(terms, self.bounds, FINE) for terms in self.terms]
        return Optima.of(found, time.perf_counter() - start)


class Optima(Struct, frozen=True):
    """The greatest profit of every problem, to 1e-12 a bar."""

    high_multiplier: Floats  # [policies, V]
    low_multiplier: Floats  # [policies, V]
    profit: Floats  # [policies, V] sum over the window
    seconds: float  # for all of them in one call a policy

    @classmethod
    def of(cls, found: list[Optimum], seconds: float) -> Optima:
        """The optima `[V]` of each policy."""
        return cls(
            high_multiplier=np.stack([optimum.high_multiplier for optimum in found]),
            low_multiplier=np.stack([optimum.low_multiplier for optimum in found]),
            profit=np.stack([optimum.profit for optimum in found]),
            seconds=seconds,
        )


def symbol_problems(symbol: str, settings: Settings, progress: Progress) -> tuple[FitProblems, tuple[str, ...]]:
    """The fits of a walk over a symbol's newest bars, and remarks about those bars.

    Of `all` strategies it is `entry-exit`, or `always-on` where that one never places an order. DataError where neither
    does: there is nothing to optimize.
    """
    clock = Clock()
    tools = open_tools(settings, clock)
    with tools.cache or nullcontext():
        ready = value_of(prepare(symbol, settings.bars, settings.walk, tools, clock))
        bars, walk = ready.bars, ready.walk
        remarks: list[str] = []
        forecaster = open_forecaster(tools.model, tools.cache, settings, clock, progress, remarks)
        (outcome,) = forecaster.forecasts([ready.request])
    forecasts = value_of(outcome)
    notes = (*bars.notes, *forecasts.notes, *remarks, *(tools.cache.warnings if tools.cache else ()))
    market, rules = Market.of(bars, walk, forecasts, settings.costs), settings.rules
    strategy, legs = _first_that_trades(market, strategies_of(rules))
    at, then = market.levels.at(walk.evaluated), market.outcomes.at(walk.evaluated)
    placed = legs.at(walk.evaluated)

    def booked(windows: NDArray[np.int64], h: Floats, l: Floats, eod: NDArray[np.bool_]) -> Floats:
        chosen = (at.at(windows), then.at(windows), placed.at(windows))
        return book(strategy, *chosen, market.costs, rules.fill, (h, l), eod).profits[rules.fill]

    policies = POLICIES[rules.close_at_eod]
    first, last = (str(bars.names()[walk.origins[walk.evaluated[end]] + 1]) for end in (-1, 0))
    facts = ProblemFacts(
        name=bars.symbol,
        source=bars.source,
        fingerprint=bars.fingerprint,
        first=first,
        last=last,
        model=tools.model.name,
        look_ahead=forecasts.look_ahead,
        strategy=strategy,
        fill=rules.fill,
        fee_bps=market.fee_bps,
        fee_per="side",
        slippage_bps=settings.costs.slippage_bps,
        windows=len(walk.evaluated),
        bars=walk.windows.shape[1],
        policies=_names(policies),
    )
    of_bars = market_terms(market, rules)
    terms: tuple[Problems, ...] = tuple(
        windows_of(legs, market, rules, eod).fitted_to(of_bars).at(slice(-1)) for eod in policies
    )
    return FitProblems(facts, terms, policies, (rules.bounds, rules.bounds), booked), notes


def reference_problems(bounds: Bounds) -> FitProblems:
    """The reference system's published benchmark: 200 bars, its rule and its fee, both policies."""
    columns = {name: values.astype(np.float64) for name, values in benchmark_bars().items()}
    columns["positions"] = columns["positions"][None]
    policies, fee = (False, True), Fee.of(FEE, PUBLISHED.name)
    terms = tuple(reference_terms(**columns, close_at_eod=eod, fee=fee).at(None) for eod in policies)
    facts = ProblemFacts(
        name="reference",
        source=f"the bars of its published benchmark, fees by its rule of {PUBLISHED.name}",
        fingerprint=None,
        first=None,
        last=None,
        model=None,
        look_ahead=None,
        strategy=ENTRY_EXIT,
        fill=TOUCH,
        fee_bps=BASIS_POINTS * FEE,
        fee_per="trade",
        slippage_bps=0.0,
        windows=1,
        bars=terms[0].legs[0].low.shape[1],
        policies=_names(policies),
    )
    return FitProblems(facts, terms, policies, bounds)


def _first_that_trades(market: Market, names: list[str]) -> tuple[str, Legs]:
    """The first of the strategies that places an order in a window, and where it does."""
    for name in names:
        legs = market.legs(name)
        used = legs.at(market.walk.windows[:-1])
        if used.long.any() or (used.short is not None and used.short.any()):
            return name, legs
    raise DataError(f"{market.bars.symbol}: {' and '.join(names)} place no order in any window: nothing to optimize")


def _names(policies: tuple[bool, ...]) -> list[Policy]:
    return ["close" if eod else "take-profit" for eod in policies]
