"""A whole run: bars, forecasts, fit, walk. The only file that composes the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from marketsim import registry
from marketsim.backtesting.chosen_bars import load, open_bars, with_finer
from marketsim.backtesting.free_memory import check_memory
from marketsim.backtesting.simulation import POLICIES, Market, fit_strategies, simulate, strategies_of
from marketsim.data import Source
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk, longest_window, make_walk
from marketsim.errors import Failure, MarketsimError, Outcome, Success, value_of
from marketsim.forecasting.cache import ForecastCache, connect
from marketsim.forecasting.ensembles import Composite, members_of
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.protocols import Model, comes_from_outside
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models import chosen_model
from marketsim.optimizers import Optimizer
from marketsim.profiling import Clock
from marketsim.results.result import Result, SymbolRun
from marketsim.results.schema import CostsRow
from marketsim.settings.groups import BarsSettings, CacheSettings, WalkSettings
from marketsim.settings.settings import Settings

if TYPE_CHECKING:
    from marketsim.forecasting.sealed_forecasts import SealedForecasts

GROUP = 32  # symbols whose forecasts are made together
MANY = 10_000  # simulations that fit into any memory

Progress = Callable[[str, int, int], None]


class Tools(Struct, frozen=True):
    """The parts that all symbols of a run share."""

    source: Source
    model: Model | Composite
    optimizer: Optimizer
    cache: ForecastCache | None
    sealed: SealedForecasts | None = None  # those of a journal, where it was asked
    files: int = 0  # bytes that a simulation takes for the files that are wanted of it
    share: int | None = None  # bytes that this worker may take, where several share the memory


class Prepared(Struct, frozen=True):
    """One symbol before anything is forecast: its bars, and the walk over them."""

    bars: Bars
    walk: Walk

    @property
    def request(self) -> ForecastRequest:
        """The forecasts that the walk needs."""
        return ForecastRequest(self.bars, self.walk.origins, self.walk.judged)


def run(
    symbols: Sequence[str],
    settings: Settings,
    clock: Clock,
    progress: Progress = lambda what, done, total: None,
    source: Source | None = None,
    model: Model | Composite | None = None,
) -> list[SymbolRun]:
    """All that `stream` yields, with the tools of `open_tools`."""
    tools = open_tools(settings, clock, source, model)
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
    forecaster = open_forecaster(tools.model, tools.cache, settings, clock, progress, remarks)
    for first in range(0, len(symbols), GROUP):
        group = symbols[first : first + GROUP]
        prepared = [prepare(symbol, settings.bars, settings.walk, tools, clock) for symbol in group]
        forecasts = iter(
            forecaster.forecasts([outcome.value.request for outcome in prepared if isinstance(outcome, Success)])
        )
        for symbol, outcome in zip(group, prepared, strict=True):
            progress(f"fits of {symbol}", 0, 1)
            match outcome:
                case Success(ready):
                    run = _run(ready, next(forecasts), settings, tools, clock)
                case Failure():
                    run = SymbolRun(symbol, outcome)
            warnings = tools.cache.warnings if tools.cache else []
            yield replace(run, notes=(*run.notes, *_taken(remarks), *_taken(warnings)))


def _run(ready: Prepared, forecasts: Outcome[Forecasts], settings: Settings, tools: Tools, clock: Clock) -> SymbolRun:
    symbol = ready.bars.symbol
    match forecasts:
        case Success(found):
            if tools.sealed is not None:
                origins = ready.bars.time[found.origins]
                found = replace(found, sealed=tools.sealed.among(symbol, origins, found.moves))
            result = evaluate_walk(ready, found, settings, tools, clock)
            return SymbolRun(symbol, Success(result), (*ready.bars.notes, *found.notes))
        case Failure():
            return SymbolRun(symbol, forecasts)


def open_forecaster(
    model: Model | Composite,
    cache: ForecastCache | None,
    settings: Settings,
    clock: Clock,
    progress: Progress,
    remarks: list[str],
) -> Forecaster:
    """What makes the forecasts of a run; what comes from outside is audited when it is first used."""
    first_use = None
    if any(map(comes_from_outside, (model, *members_of(model)))):
        from marketsim.forecasting.audit_records import open_records
        from marketsim.forecasting.first_use import FirstUse
        from marketsim.models.har import Har

        records = open_records(settings.cache_place, settings.cache)
        first_use = FirstUse(records, settings.allow_lookahead, Har(), clock)
    return Forecaster(model, cache, clock, progress, remarks, settings.network.batch, first_use)


def run_symbol(symbol: str, settings: Settings, tools: Tools, clock: Clock) -> Result:
    """The whole walk of one symbol; raises its error."""
    (run,) = stream([symbol], settings, tools, clock)
    return value_of(run.outcome)


def _taken(remarks: list[str]) -> list[str]:
    """Return the remarks so far and empty the list."""
    taken = remarks.copy()
    remarks.clear()
    return taken


def open_tools(
    settings: Settings, clock: Clock, source: Source | None = None, model: Model | Composite | None = None
) -> Tools:
    """The tools that the settings name, except given ones; the caller closes the cache."""
    source = open_bars(settings.bars) if source is None else with_finer(source, settings.bars)
    with clock.stage("forecast/load"):
        model = model or chosen_model(settings)
    with clock.stage("optimize/load"):
        optimizer = open_optimizer(settings.optimizer, settings.network.device)
    with clock.stage("cache/open"):
        return Tools(source, model, optimizer, open_cache(settings.cache, settings.cache_place))


def open_optimizer(name: str, device: str) -> Optimizer:
    """The optimizer of that name; the exact one works where the model does when that is `cuda`."""
    if name == "exact" and device == "cuda":
        from marketsim.models.device import open_device
        from marketsim.optimizers.exact.on_device import ExactOn

        return ExactOn(open_device(device))
    optimizer: Optimizer = registry.load(registry.OPTIMIZERS, "optimizer", name)()
    return optimizer


def open_cache(mode: str, place: CacheSettings) -> ForecastCache | None:
    """The forecast cache in a mode of `--cache`; None when it is off."""
    return None if mode == "off" else connect(place, mode)


def prepare(symbol: str, chosen: BarsSettings, lengths: WalkSettings, tools: Tools, clock: Clock) -> Outcome[Prepared]:
    """Load a symbol and lay out its walk; a failure when its bars are absent, bad or too few."""
    try:
        with clock.stage("load"):
            bars = load(symbol, chosen, tools.source)
        return Success(Prepared(bars, walk_over(bars, lengths, tools.model, tools.files, tools.share)))
    except MarketsimError as error:
        return Failure(error)


def walk_over(
    bars: Bars, lengths: WalkSettings, model: Model | Composite, files: int = 0, share: int | None = None
) -> Walk:
    """The walk of these lengths, in fast mode the newest part of the full one.

    DataError where it does not fit into memory; see `free_memory.check_memory` for `files` and `share`.
    """
    room = len(bars) - model.minimum_bars - lengths.sims
    window = longest_window(room) if lengths.window is None else lengths.window
    if MANY < lengths.simulations < len(bars):  # of too few bars the walk tells
        check_memory(bars.symbol, lengths.simulations, window, files, share)
    return make_walk(len(bars), lengths.simulations, window, model.minimum_bars, bars.symbol, whole=lengths.sims)


def evaluate_walk(ready: Prepared, forecasts: Forecasts, settings: Settings, tools: Tools, clock: Clock) -> Result:
    """Fit every window and trade every evaluated bar of one symbol."""
    bars, walk, rules = ready.bars, ready.walk, settings.rules
    names = strategies_of(rules)
    with clock.stage("optimize"):
        market = Market.of(bars, walk, forecasts, settings.costs)
        fits, fallbacks = fit_strategies(names, market, rules, tools.optimizer, settings.seed)
    with clock.stage("simulate"):
        tracks, baselines = simulate(fits, market, rules)
    clock.count("forecasts made", forecasts.made)
    clock.count("forecasts reused", forecasts.reused)
    policies = len(POLICIES[rules.close_at_eod])
    fits_made = len(names) * policies * len(walk.windows)
    clock.count("fits", fits_made)
    return Result(
        bars=bars,
        walk=walk,
        forecasts=forecasts,
        costs=CostsRow(fee_bps=market.fee_bps, slippage_bps=settings.costs.slippage_bps),
        rules=rules,
        optimizer=settings.optimizer,
        seed=settings.seed,
        simulations=max(settings.walk.sims, len(walk.evaluated)),
        assume_clean=settings.assume_clean,
        strategies=tracks,
        baselines=baselines,
        fits=fits_made,
        fallbacks=fallbacks,
        fine=market.fine,
    )
