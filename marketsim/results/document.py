"""From the arrays of a result to the rows and documents of schema.py. No times, no terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
import numpy as np

from marketsim import __version__
from marketsim.data.bars import Bars
from marketsim.errors import Failure, Success
from marketsim.execution.track_record import Fit, FittedTrackRecord, TrackRecord
from marketsim.forecasting import contamination
from marketsim.forecasting.contamination import Exposure, tally, warning
from marketsim.forecasting.forecasts import Forecasts
from marketsim.forecasting.keys import fingerprint
from marketsim.results.code import libraries
from marketsim.results.metrics import max_drawdown, sharpe, sortino
from marketsim.results.plugins import plugins_of
from marketsim.results.result import Result, SymbolRun
from marketsim.results.rows import Setting
from marketsim.results.schema import (
    BacktestDocument,
    BarsFacts,
    EquityRow,
    EvaluatedBars,
    ExposureCounts,
    FailedSymbol,
    ModelFacts,
    OptimizerFacts,
    PlanRow,
    SimulationRow,
    StrategyRow,
    SymbolDocument,
)
from marketsim.results.significance import in_bps, mean_interval
from marketsim.results.verdict import verdict
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.settings import MEANS, Settings


def backtest_document(runs: Sequence[SymbolRun], settings: Settings) -> BacktestDocument:
    """Everything that a run found; equal inputs give equal documents."""
    return msgspec.structs.replace(without_symbols(settings), symbols=[_either(run) for run in runs])


def without_symbols(settings: Settings) -> BacktestDocument:
    """The document of a run with these settings that has found nothing yet."""
    values = deciding(settings)
    return BacktestDocument(__version__, values, [], plugins_of(values) or msgspec.UNSET)


def deciding(settings: Settings) -> dict[str, Setting]:
    """The settings that results rest on: not those that only make them sooner."""
    values = settings.values() | {"simulations": settings.walk.simulations}
    return {
        key: list(value) if isinstance(value, tuple) else value for key, value in values.items() if key not in MEANS
    }


def _either(run: SymbolRun) -> SymbolDocument | FailedSymbol:
    match run.outcome:
        case Success(result):
            return symbol_document(result)
        case Failure(error):
            return FailedSymbol.of(run.symbol, error)


def symbol_document(result: Result) -> SymbolDocument:
    """A symbol's part of the document."""
    bars, fill = result.bars, result.rules.fill
    tags = exposures_of(result)
    strategies = [_strategy_row(track, result) for track in result.strategies]
    exposed = warning(tally(tags), result.forecasts.doubt)
    return SymbolDocument(
        symbol=bars.symbol,
        bars=bars_facts(bars),
        model=model_facts(result.forecasts, tags),
        costs=result.costs,
        fill=fill,
        min_t=result.rules.min_t,
        optimizer=OptimizerFacts(name=result.optimizer, fits=result.fits, fallbacks=result.fallbacks),
        evaluated=_evaluated_bars(result),
        rows=[*strategies, *(_track_row(track, result, in_sample_bps=None) for track in result.baselines)],
        plan=[_plan_row(track, bars) for track in result.strategies],
        verdict=_verdict(result, strategies, exposed),
        fine=result.fine,
        libraries=libraries(),
    )


def _verdict(result: Result, strategies: Sequence[StrategyRow], exposed: str | None) -> str:
    """What can be said of all strategies together; of a model that looked ahead nothing else."""
    if caught := result.forecasts.look_ahead:
        return f"LOOK-AHEAD, so no profit here counts: {caught}"
    words = [verdict(row, result.rules.fill) for row in strategies]
    return "; ".join(filter(None, (*words, exposed, result.forecasts.implausible)))


def exposures_of(result: Result) -> list[Exposure]:
    """Which evaluated bars `[S]`, newest first, the model may have seen; see `contamination.exposures`."""
    evaluated = result.walk.evaluated
    opens = result.bars.time[result.walk.origins[evaluated] + 1]
    return contamination.exposures_of(result.forecasts, evaluated.tolist(), opens)


def bars_facts(bars: Bars) -> BarsFacts:
    """What a document says of a symbol's bars."""
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
    )


def model_facts(forecasts: Forecasts, tags: Sequence[Exposure]) -> ModelFacts:
    """What a document says of the model that made the forecasts; `tags` are the exposures of the bars they are for."""
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
                side=_side(fit, s),
                high_multiplier=float(fit.high_multiplier[s]),
                low_multiplier=float(fit.low_multiplier[s]),
                close_at_eod=bool(fit.close_at_eod[s]),
                upper=float(fit.upper[s]),
                lower=float(fit.lower[s]),
                in_sample=float(fit.in_sample[s]),
                t=_finite(fit.t[s]),
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


def _strategy_row(track: FittedTrackRecord, result: Result) -> StrategyRow:
    window, aside = result.walk.windows.shape[1], track.fit.stood_aside[:-1]
    in_sample = np.where(aside, 0.0, track.fit.in_sample[:-1]).mean() / window
    row = _track_row(track, result, in_sample_bps=float(BASIS_POINTS * in_sample))
    return msgspec.structs.replace(row, stood_aside=int(aside.sum()))


def _track_row(track: TrackRecord, result: Result, in_sample_bps: float | None) -> StrategyRow:
    returns = track.profits[result.rules.fill][::-1]
    orders, trades, ambiguous = int(track.orders.sum()), int(track.trades.sum()), track.ambiguous
    interval = in_bps(mean_interval(returns, result.seed))
    periods = result.bars.periods_per_year
    return StrategyRow(
        name=track.name,
        kind="baseline" if in_sample_bps is None else "strategy",
        in_sample_bps=in_sample_bps,
        provable=float(track.profits["provable"].sum()),
        expected=float(track.profits["expected"].sum()),
        touch=float(track.profits["touch"].sum()),
        headline=float(track.profits[result.rules.fill].sum()),
        mean_bps=float(BASIS_POINTS * returns.mean()),
        low_bps=None if interval is None else interval.low,
        high_bps=None if interval is None else interval.high,
        bars=len(returns),
        orders=orders,
        stood_aside=None,
        trades=trades,
        fill_rate=trades / orders if orders else None,
        win_rate=float(track.wins.sum()) / trades if trades else None,
        ambiguous=int(ambiguous.sum()),
        probability=float(track.probability[ambiguous].mean()) if ambiguous.any() else None,
        sharpe=sharpe(returns, periods),
        sortino=sortino(returns, periods),
        max_drawdown=max_drawdown(returns),
    )


def _plan_row(track: FittedTrackRecord, bars: Bars) -> PlanRow:
    fit, opens = track.fit, bars.next_opens(1)
    side, at_close = _side(fit, -1), bool(fit.close_at_eod[-1])
    upper, lower = float(fit.upper[-1]), float(fit.lower[-1])
    entry, target = {"long": (lower, upper), "short": (upper, lower)}.get(side, (None, None))
    return PlanRow(
        strategy=track.name,
        after=_stamp(bars, -1),
        bar=str(bars.names(opens)[0]),
        opens=str(opens[0]),
        ends=str(bars.timetable.ends(opens)[0]),
        stale=bars.is_past(opens[0]),
        side=side,
        close=float(bars.close[-1]),
        entry=entry,
        take_profit=None if at_close else target,
        upper=upper,
        lower=lower,
        close_at_eod=at_close,
        high_multiplier=float(fit.high_multiplier[-1]),
        low_multiplier=float(fit.low_multiplier[-1]),
        t=_finite(fit.t[-1]),
        stood_aside=bool(fit.stood_aside[-1]),
    )


def _evaluated_bars(result: Result) -> EvaluatedBars:
    bars = result.walk.origins[result.walk.evaluated] + 1
    return EvaluatedBars(bars=len(bars), first=_stamp(result.bars, bars[-1]), last=_stamp(result.bars, bars[0]))


def _side(fit: Fit, s: int) -> str:
    legs = {"long": fit.legs.long, "short": fit.legs.short}
    return " and ".join(name for name, leg in legs.items() if leg is not None and leg[s]) or "flat"


def _finite(value: np.float64) -> float | None:
    return float(value) if np.isfinite(value) else None


def _stamp(bars: Bars, index: int | np.int64) -> str:
    return str(bars.names(bars.time[np.array([index])])[0])
