"""From the arrays of a result to the rows and documents of schema.py. No times, no terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from marketsim import __version__
from marketsim.data.bars import Bars
from marketsim.data.symbols import is_currency_pair
from marketsim.data.ticks import order_tick
from marketsim.errors import Failure, Success
from marketsim.forecasting import contamination
from marketsim.forecasting.contamination import CLEAN, UNKNOWN, Exposure, tally
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.keys import fingerprint
from marketsim.results.code import libraries
from marketsim.results.evidence import evidence_of
from marketsim.results.evidence_schema import EvaluatedBars, FastError
from marketsim.results.fast_mode import fast_error
from marketsim.results.orders import no_order
from marketsim.results.plan_rows import finite, plan_row, side_of
from marketsim.results.plugins import plugins_of
from marketsim.results.result import Result, SymbolRun
from marketsim.results.rows import Setting
from marketsim.results.schema import (
    CANT_TELL,
    BacktestDocument,
    BarsFacts,
    EquityRow,
    ExposureCounts,
    FailedSymbol,
    ModelFacts,
    OptimizerFacts,
    PlanRow,
    SimulationRow,
    SymbolDocument,
)
from marketsim.results.strategy_rows import baseline_row, strategy_row
from marketsim.results.walk_profits import DecidingProfits, WalkProfits, deciding_fill
from marketsim.results.whole_run import WholeRun, answered
from marketsim.settings.settings import MEANS, Settings

RECENT = 250  # bars whose prices tell their smallest step


def backtest_document(runs: Sequence[SymbolRun], settings: Settings) -> BacktestDocument:
    """Everything that a run found; equal inputs give equal documents."""
    profits = {
        run.outcome.value.bars.symbol: DecidingProfits.of(walk_profits(run.outcome.value))
        for run in runs
        if isinstance(run.outcome, Success)
    }
    whole = WholeRun.of(profits, settings.seed)
    return replace(head(whole, settings), symbols=[whole.judged(_either(run)) for run in runs])


def head(whole: WholeRun, settings: Settings) -> BacktestDocument:
    """The document of a run without its symbols."""
    values = deciding(settings)
    return BacktestDocument(
        marketsim=__version__,
        settings=values,
        pooled=whole.pooled,
        reality_check=whole.reality_check,
        symbols=[],
        plugins=plugins_of(values) or UNSET,
    )


def deciding(settings: Settings) -> dict[str, Setting]:
    """The settings that results rest on: not those that only make them sooner."""
    values = settings.values() | {"simulations": settings.walk.simulations}
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items() if key not in MEANS
    }


def changed(settings: Mapping[str, Setting]) -> dict[str, Setting]:
    """Those of the deciding settings that are not at their default."""
    defaults = deciding(Settings()) | {"simulations": settings.get("simulations")}  # it follows from others
    return {key: value for key, value in settings.items() if value != defaults.get(key)}


def _either(run: SymbolRun) -> SymbolDocument | FailedSymbol:
    match run.outcome:
        case Success(result):
            return symbol_document(result)
        case Failure(error):
            return FailedSymbol.of(run.symbol, error)


def symbol_document(result: Result) -> SymbolDocument:
    """A symbol's part of the document."""
    bars, tags = result.bars, exposures_of(result)
    profits = DecidingProfits.of(walk_profits(result))
    evidence = evidence_of(result, profits, assumed=result.assume_clean and UNKNOWN in tags)
    document = SymbolDocument(
        symbol=bars.symbol,
        bars=bars_facts(bars),
        model=replace(model_facts(result.forecasts, tags), sealed=_sealed(result)),
        costs=result.costs,
        fill=result.rules.fill,
        window=result.walk.windows.shape[1],
        min_t=result.rules.min_t,
        optimizer=OptimizerFacts(name=result.optimizer, fits=result.fits, fallbacks=result.fallbacks),
        evaluated=_evaluated_bars(result),
        rows=[
            *(strategy_row(track, result) for track in result.strategies),
            *(baseline_row(track, result) for track in result.baselines),
        ],
        plan=[plan_row(track, result) for track in result.strategies],
        decision=CANT_TELL,
        strategy=None,
        verdict="",
        reasons=[],
        evidence=evidence,
        fast=_fast_error(result),
        fine=result.fine,
        libraries=libraries(),
    )
    return answered(replace(document, plan=[_placed(plan, document) for plan in document.plan]))


def _placed(plan: PlanRow, document: SymbolDocument) -> PlanRow:
    """The plan without an entry where no order is placed, and why."""
    why = no_order(plan, document)
    return plan if why is None else replace(plan, entry=None, take_profit=None, no_order=why)


def walk_profits(result: Result) -> WalkProfits:
    """What its strategies earned, bar by bar."""
    fill, bars = result.rules.fill, result.walk.origins[result.walk.evaluated[::-1]] + 1
    return WalkProfits(
        times=result.bars.names(result.bars.time[bars]).tolist(),
        clean=[tag == CLEAN or (tag == UNKNOWN and result.assume_clean) for tag in exposures_of(result)[::-1]],
        headline={track.name: track.profits[fill][::-1].tolist() for track in result.strategies},
        deciding={track.name: track.profits[deciding_fill(fill)][::-1].tolist() for track in result.strategies},
    )


def _fast_error(result: Result) -> FastError | None:
    """That of the strategy that earned most, of those that traded often enough; None for a full walk."""
    walks = [track.profits[deciding_fill(result.rules.fill)][::-1] for track in result.strategies]
    best_first = sorted(walks, key=lambda returns: -returns.sum())
    errors = (fast_error(returns, result.simulations, result.seed) for returns in best_first)
    return next((error for error in errors if error is not None), None)


def exposures_of(result: Result) -> list[Exposure]:
    """Which evaluated bars `[S]`, newest first, the model may have seen; see `contamination.exposures`."""
    evaluated = result.walk.evaluated
    opens = result.bars.time[result.walk.origins[evaluated] + 1]
    return contamination.exposures_of(result.forecasts, evaluated.tolist(), opens)


def bars_facts(bars: Bars) -> BarsFacts:
    """The facts about a symbol's bars for a document."""
    return BarsFacts(
        source=bars.source,
        fingerprint=bars.fingerprint,
        count=len(bars),
        first=_stamp(bars, 0),
        last=_stamp(bars, -1),
        crypto=bars.crypto,
        calendar=bars.timetable.calendar.name,
        zone=bars.timetable.zone,
        periods_per_year=bars.periods_per_year,
        gaps=bars.gaps,
        dropped=bars.dropped,
        tick=tick_of(bars),
    )


def tick_of(bars: Bars) -> float:
    """The tick size, from the newest bars."""
    return order_tick(bars.ohlcv[-RECENT:, :4], bars.crypto or is_currency_pair(bars.symbol))


def model_facts(forecasts: Forecasts, tags: Sequence[Exposure]) -> ModelFacts:
    """The facts about the forecasting model for a document; `tags` are the exposures of its bars."""
    model = forecasts.model
    return ModelFacts(
        name=model.name,
        version=model.version,
        parameters=dict(model.parameters),
        fingerprint=fingerprint(model),
        trained_until=model.trained_until,
        training=model.training,
        look_ahead=forecasts.look_ahead,
        implausible=forecasts.implausible,
        exposure=ExposureCounts(**tally(tags)),
        doubt=forecasts.doubt,
        repaired=int(forecasts.repaired.sum()),
    )


def simulation_rows(result: Result) -> Iterator[SimulationRow]:
    """A row for each strategy and simulation, newest first."""
    tags = exposures_of(result)
    opens = result.bars.names()
    for track in result.strategies:
        fit, ambiguous, probability = track.fit, track.ambiguous, track.probability
        for s, position in enumerate(result.walk.evaluated):
            origin = result.walk.origins[position]
            bar = result.bars.ohlcv[origin + 1]
            yield SimulationRow(
                symbol=result.bars.symbol,
                strategy=track.name,
                simulation=s,
                origin=str(opens[origin]),
                evaluated=str(opens[origin + 1]),
                open=float(bar[0]),
                high=float(bar[1]),
                low=float(bar[2]),
                close=float(bar[3]),
                side=side_of(fit, s),
                high_multiplier=float(fit.high_multiplier[s]),
                low_multiplier=float(fit.low_multiplier[s]),
                close_at_eod=bool(fit.close_at_eod[s]),
                upper=float(fit.upper[s]),
                lower=float(fit.lower[s]),
                in_sample=float(fit.in_sample[s]),
                t=finite(fit.t[s]),
                stood_aside=bool(fit.stood_aside[s]),
                provable=float(track.profits["provable"][s]),
                expected=float(track.profits["expected"][s]),
                touch=float(track.profits["touch"][s]),
                orders=int(track.orders[s]),
                trades=int(track.trades[s]),
                ambiguous=bool(ambiguous[s]),
                probability=float(probability[s]) if ambiguous[s] else None,
                exposure=tags[s],
            )


def equity_rows(result: Result) -> Iterator[EquityRow]:
    """A row for each strategy or baseline and evaluated bar, oldest first: summed profits up to there."""
    opens = result.bars.names()
    for track in (*result.strategies, *result.baselines):
        sums = {fill: np.cumsum(profits[::-1]).tolist() for fill, profits in track.profits.items()}
        for i, position in enumerate(result.walk.evaluated[::-1]):
            yield EquityRow(
                symbol=result.bars.symbol,
                name=track.name,
                time=str(opens[result.walk.origins[position] + 1]),
                provable=sums["provable"][i],
                expected=sums["expected"][i],
                touch=sums["touch"][i],
            )


def _sealed(result: Result) -> int | UnsetType:
    """On how many evaluated bars the forecast was sealed before; unset where no journal was asked."""
    sealed = result.forecasts.sealed
    return UNSET if sealed is None else int(np.count_nonzero(sealed[result.walk.evaluated]))


def _evaluated_bars(result: Result) -> EvaluatedBars:
    bars = result.walk.origins[result.walk.evaluated] + 1
    return EvaluatedBars(bars=len(bars), first=_stamp(result.bars, bars[-1]), last=_stamp(result.bars, bars[0]))


def _stamp(bars: Bars, index: int | np.int64) -> str:
    return str(bars.names(bars.time[np.array([index])])[0])
