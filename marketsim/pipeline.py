"""A whole run: bars, forecasts, fit, walk. The only file that composes the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketsim import registry
from marketsim.bars import Bars
from marketsim.baselines import buy_and_hold, forecast_close
from marketsim.cache import ForecastCache, connect
from marketsim.config import Settings
from marketsim.data import Source, open_source
from marketsim.ensemble import Ensemble, Wanted
from marketsim.errors import MarketsimError
from marketsim.fills import Costs, Levels, Outcomes, ProfitTerms, profit_terms, stack
from marketsim.forecasts import Forecasts, Model, actual_moves, fingerprint
from marketsim.models import open_model
from marketsim.optimizers import Optimizer
from marketsim.profiling import Clock, part
from marketsim.report import Result, SymbolRun
from marketsim.strategies import STRATEGIES, Legs
from marketsim.surface import TIE
from marketsim.sweep import Requests, Sweep
from marketsim.track import Fit, Track, book, level_prices
from marketsim.variance import path_variance
from marketsim.walk import Walk, make_walk

FEE_BPS = {True: 15.0, False: 5.0}  # per side, by whether the asset is crypto
GROUP = 32  # symbols whose forecasts are made together
POLICIES = {"auto": (True, False), "always": (True,), "never": (False,)}  # ties go to the first


Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Tools:
    """What every symbol of a run shares."""

    source: Source
    model: Model | Ensemble
    optimizer: Optimizer
    cache: ForecastCache | None


@dataclass(frozen=True, slots=True)
class Prepared:
    """One symbol before anything is forecast: its bars, and the walk over them."""

    bars: Bars
    walk: Walk

    @property
    def wanted(self) -> tuple[Bars, NDArray[np.int64], NDArray[np.int64]]:
        """What its forecasts are asked for with."""
        return self.bars, self.walk.judged, self.walk.origins


def run(
    symbols: Sequence[str],
    settings: Settings,
    clock: Clock,
    progress: Progress = lambda what, done, total: None,
) -> list[SymbolRun]:
    """What `stream` yields with the tools that the settings name."""
    tools = open_tools(settings, clock)
    with tools.cache or nullcontext():
        return list(stream(symbols, settings, tools, clock, progress))


def stream(
    symbols: Sequence[str],
    settings: Settings,
    tools: Tools,
    clock: Clock,
    progress: Progress = lambda what, done, total: None,
) -> Iterator[SymbolRun]:
    """One result a symbol, in the order given; a symbol that fails is its error, and the others go on.

    Forecasts are made for a group of symbols together, and no more than a group is held. `progress` hears what is
    being done, how much of it is done and how much there is.
    """
    remarks: list[str] = []
    forecast = forecaster(tools.model, tools.cache, clock, progress, remarks)
    for first in range(0, len(symbols), GROUP):
        group = symbols[first : first + GROUP]
        prepared = [prepare(symbol, settings, tools, clock) for symbol in group]
        sound = [each for each in prepared if isinstance(each, Prepared)]
        forecasts = iter(forecast([each.wanted for each in sound]))
        for symbol, ready in zip(group, prepared, strict=True):
            progress(f"fits of {symbol}", 0, 1)
            found = next(forecasts) if isinstance(ready, Prepared) else ready
            notes = (*_taken(remarks), *_taken(tools.cache.warnings if tools.cache else []))
            if isinstance(found, MarketsimError):
                yield SymbolRun(symbol, None, found, notes)
            elif isinstance(ready, Prepared):
                result = evaluate_walk(ready, found, settings, tools, clock)
                yield SymbolRun(ready.bars.symbol, result, None, (*ready.bars.notes, *found.notes, *notes))


def forecaster(
    model: Model | Ensemble, cache: ForecastCache | None, clock: Clock, progress: Progress, remarks: list[str]
) -> Callable[[Wanted], list[Forecasts | MarketsimError]]:
    """What makes the forecasts that are wanted of it; what it has to say is added to the remarks."""
    sweeps: dict[str, Sweep] = {}

    def make(model: Model, requests: Requests) -> list[Forecasts | MarketsimError]:
        sweep = sweeps.setdefault(fingerprint(model), Sweep(model, cache, clock, progress, remarks))
        return sweep.forecasts(requests)

    def forecast(wanted: Wanted) -> list[Forecasts | MarketsimError]:
        if isinstance(model, Ensemble):
            with clock.stage("forecast/ensemble"):
                return model.forecasts(wanted, make)
        return make(model, [(bars, origins) for bars, _, origins in wanted])

    return forecast


def run_symbol(symbol: str, settings: Settings, tools: Tools, clock: Clock) -> Result:
    """The whole walk of one symbol; raises the error that it comes to."""
    (done,) = stream([symbol], settings, tools, clock)
    if done.result is None:
        assert done.error is not None
        raise done.error
    return done.result


def _taken(remarks: list[str]) -> list[str]:
    """The remarks so far, which are then not made again."""
    taken = remarks.copy()
    remarks.clear()
    return taken


def open_tools(settings: Settings, clock: Clock) -> Tools:
    """The tools that the settings name; the cache is the caller's to close."""
    source = open_source(settings.source, settings.data, settings.on_bad_bars)
    with clock.stage("forecast/load"):
        model = open_model(settings)
    with clock.stage("optimise/load"):
        optimizer = open_optimizer(settings)
    with clock.stage("cache/open"):
        return Tools(source, model, optimizer, open_cache(settings))


def open_optimizer(settings: Settings) -> Optimizer:
    """The optimiser that the settings name; the exact one works where the model does when that is `cuda`."""
    if settings.optimizer == "exact" and settings.device == "cuda":
        from marketsim.models.device import open_device  # torch, where it is asked for
        from marketsim.optimizers.exact_on import ExactOn

        return ExactOn(open_device(settings.device))
    optimizer: Optimizer = registry.load(registry.OPTIMIZERS, "optimizer", settings.optimizer)()
    return optimizer


def open_cache(settings: Settings) -> ForecastCache | None:
    """The forecast cache that the settings name; None when it is off."""
    return None if settings.cache == "off" else connect(settings, settings.cache)


def prepare(symbol: str, settings: Settings, tools: Tools, clock: Clock) -> Prepared | MarketsimError:
    """Load a symbol and lay out its walk; the error when its bars are absent, bad or too few."""
    try:
        with clock.stage("load"):
            bars = load(symbol, settings, tools.source)
        return Prepared(bars, walk_over(bars, settings, tools.model))
    except MarketsimError as error:
        return error


def load(symbol: str, settings: Settings, source: Source) -> Bars:
    """The bars of `symbol` that the settings leave."""
    crypto = {"auto": None, "crypto": True, "stock": False}[settings.asset]
    return source.load(symbol, crypto).between(settings.start, settings.end)


def walk_over(bars: Bars, settings: Settings, model: Model | Ensemble) -> Walk:
    """The walk that the settings ask for, in fast mode the newest part of the full one."""
    lengths = (settings.simulations, settings.window, model.minimum_bars)
    return make_walk(len(bars), *lengths, bars.symbol, whole=settings.sims)


def evaluate_walk(ready: Prepared, forecasts: Forecasts, settings: Settings, tools: Tools, clock: Clock) -> Result:
    """Fit every window and trade every evaluated bar of one symbol."""
    bars, walk = ready.bars, ready.walk
    fee_bps = fee_of(bars, settings)
    costs = Costs.from_bps(fee_bps, settings.slippage_bps)
    names = list(STRATEGIES) if settings.strategy == "all" else [settings.strategy]
    with clock.stage("optimise"):
        fits, fallbacks = fit_strategies(names, bars, walk, forecasts, costs, settings, tools.optimizer)
    with clock.stage("simulate"):
        tracks, baselines = simulate(fits, bars, walk, forecasts, costs, settings)
    clock.count("forecasts made", forecasts.made)
    clock.count("forecasts reused", forecasts.reused)
    policies = len(POLICIES[settings.close_at_eod])
    fits_made = len(names) * policies * len(walk.windows)
    clock.count("fits", fits_made)
    return Result(
        bars,
        walk,
        forecasts,
        fee_bps,
        settings,
        tracks,
        baselines,
        fits_made,
        fallbacks,
    )


def fee_of(bars: Bars, settings: Settings) -> float:
    """Basis points a side."""
    return FEE_BPS[bars.crypto] if settings.fee_bps is None else settings.fee_bps


def fit_strategies(
    names: Sequence[str],
    bars: Bars,
    walk: Walk,
    forecasts: Forecasts,
    costs: Costs,
    settings: Settings,
    optimizer: Optimizer,
) -> tuple[dict[str, Fit], int]:
    """Fit every strategy and policy on every window in one call; each row then takes its better policy.

    Returns the fits by strategy, and how many problems another optimiser had to finish.
    """
    levels, policies = levels_of(forecasts), POLICIES[settings.close_at_eod]
    legs = {name: STRATEGIES[name](levels.high_move, levels.low_move, not bars.crypto) for name in names}
    with part("terms"):
        problems = stack(window_terms(legs.values(), bars, walk, forecasts, costs, settings))
    with part("search"):
        optimum = optimizer.fit(problems, (settings.bounds, settings.bounds), settings.seed)
    h, l, profit = (
        np.reshape(each, (len(names), len(policies), -1))
        for each in (optimum.high_multiplier, optimum.low_multiplier, optimum.profit)
    )
    origins = np.append(walk.evaluated, len(walk.origins) - 1)
    close = bars.close[walk.origins[origins]]
    at = levels.at(origins)
    fits = {}
    for i, name in enumerate(names):
        better = np.argmax(profit[i] >= profit[i].max(0) - TIE, axis=0)
        chosen = (better, np.arange(len(better)))
        fits[name] = Fit(
            h[i][chosen],
            l[i][chosen],
            np.array(policies)[better],
            profit[i][chosen],
            *level_prices(at, close, h[i][chosen], l[i][chosen]),
            legs[name].at(origins),
        )
    return fits, optimum.fallbacks


def window_terms(
    legs: Iterable[Legs], bars: Bars, walk: Walk, forecasts: Forecasts, costs: Costs, settings: Settings
) -> list[ProfitTerms]:
    """The problems `[S + 1, W]` of every strategy's legs `[N]`, and for each of them of every policy."""
    levels, outcomes = levels_of(forecasts).at(slice(-1)), outcomes_of(bars, walk)
    terms = profit_terms(levels, outcomes, costs, settings.fill, not bars.crypto)
    by_policy = {True: terms.at_close(), False: terms}
    policies = POLICIES[settings.close_at_eod]
    return [by_policy[eod].placed(each.at(slice(-1))).at(walk.windows) for each in legs for eod in policies]


def simulate(
    fits: dict[str, Fit],
    bars: Bars,
    walk: Walk,
    forecasts: Forecasts,
    costs: Costs,
    settings: Settings,
) -> tuple[list[Track], list[Track]]:
    """Trade every evaluated bar once with what its simulation chose; then the baselines on the same bars."""
    levels, outcomes = levels_of(forecasts), outcomes_of(bars, walk)
    at, then = levels.at(walk.evaluated), outcomes.at(walk.evaluated)
    zeros = np.zeros(len(walk.evaluated))
    tracks, baselines = [], []
    for name, fit in fits.items():
        legs = fit.legs.at(slice(-1))
        chosen = (fit.high_multiplier[:-1], fit.low_multiplier[:-1])
        tracks.append(book(name, at, then, legs, costs, settings.fill, chosen, fit.close_at_eod[:-1], fit))
        unadjusted = f"{name} unadjusted" if len(fits) > 1 else "unadjusted"
        eod = np.full(len(zeros), settings.close_at_eod == "always")
        baselines.append(book(unadjusted, at, then, legs, costs, settings.fill, (zeros, zeros), eod))
    close = bars.close[len(bars) - 1 - len(zeros) :]
    predicted = forecasts.close[walk.evaluated[::-1]]
    baselines.append(forecast_close(close, predicted, not bars.crypto, costs))
    baselines.append(buy_and_hold(close, costs))
    return tracks, baselines


def levels_of(forecasts: Forecasts) -> Levels:
    """Where the orders of every origin's bar rest before the multipliers, and how wide it was expected to be."""
    return Levels(forecasts.high, forecasts.low, *path_variance(forecasts.moves))


def outcomes_of(bars: Bars, walk: Walk) -> Outcomes:
    """The moves of the bar after each origin but the last, whose next bar is not known."""
    return Outcomes(*actual_moves(bars, walk.origins[:-1]).T)
