"""Comparison of models on the same bars, fills, fits and simulations: forecasts and profits."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from msgspec import Struct, field
from msgspec.structs import asdict, replace
from numpy.typing import NDArray

from marketsim import registry
from marketsim.backtesting import pipeline
from marketsim.comparison.schema import (
    AlphaRow,
    BenchmarkRow,
    Channels,
    ComparedBars,
    ComparedSymbol,
    FailedModel,
    ModelRow,
    ModelsDocument,
    ModelStrategyRow,
)
from marketsim.comparison.skill import skill_together
from marketsim.data import Source
from marketsim.data.bars import CHANNELS
from marketsim.errors import Failure, MarketsimError, Success
from marketsim.execution.track_record import TrackRecord
from marketsim.forecasting.contamination import tally
from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.forecasts import CLOSE, LEVELS, MEDIAN, Forecasts, actual_moves
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.scores import covered, crps, pinball, share_interval
from marketsim.models.own import is_identified
from marketsim.profiling import Clock
from marketsim.results.document import exposures_of, walk_profits
from marketsim.results.evidence_schema import Tried
from marketsim.results.mean_profit import MeanProfit
from marketsim.results.result import Result
from marketsim.results.schema import ExposureCounts
from marketsim.results.significance import mean_interval
from marketsim.results.walk_profits import DecidingProfits, deciding_fill
from marketsim.results.whole_run import WholeRun
from marketsim.settings.choices import BASIS_POINTS, HOLDING, TOUCH
from marketsim.settings.groups import GivenSettings, NetworkSettings
from marketsim.settings.settings import Settings

BENCHMARK = "har"  # the model whose unfitted levels every strategy is measured against

Floats = NDArray[np.float64]


class _Symbol(Struct):
    """The results of the models on one symbol, so far."""

    results: dict[str, tuple[Result, float | None]] = field(default_factory=dict)  # with the seconds a forecast
    failures: dict[str, MarketsimError] = field(default_factory=dict)


def compare(
    symbols: Sequence[str],
    models: Sequence[str],
    settings: Settings,
    progress: pipeline.Progress = lambda what, done, total: None,
    source: Source | None = None,
    own: Mapping[str, Model | Composite] = MappingProxyType({}),
) -> tuple[ModelsDocument, list[str]]:
    """The document of a comparison, and notes for stderr; a model that fails is a row with the reason.

    Every strategy is measured against the same two benchmarks, holding and the unfitted levels of `har`, which is run
    for that where it is not one of the models. Options of models with weights apply to the models that have some.
    `source` takes the place of the one that the settings name; `own` are models by name that no registry knows.
    """
    found = {symbol: _Symbol() for symbol in symbols}
    notes: list[str] = []
    for model in dict.fromkeys((*models, BENCHMARK)):
        clock = Clock()
        try:
            chosen, told = settings_for(model, settings, own.get(model)), named(progress, model)
            runs = pipeline.run(list(found), chosen, clock, told, source, own.get(model))
        except MarketsimError as error:
            for results in found.values():
                results.failures[model] = error
            continue
        made = clock.counts.get("forecasts made", 0)
        seconds = clock.seconds.get("forecast/model", 0.0) / made if made else None
        for results, run in zip(found.values(), runs, strict=True):
            match run.outcome:
                case Success(result):
                    results.results[model] = (result, seconds)
                case Failure(why):
                    results.failures[model] = why
            notes += run.notes if model in models else ()
    if BENCHMARK not in models:
        failures = {
            symbol: results.failures[BENCHMARK] for symbol, results in found.items() if BENCHMARK in results.failures
        }
        notes += [f"{symbol}: no alpha against {BENCHMARK}: {error}" for symbol, error in failures.items()]
    compared = [_compared(symbol, models, results) for symbol, results in found.items()]
    check = _reality_check(found, models, settings.seed)
    fill = settings.rules.fill
    if fill == TOUCH:
        notes.append("--fill touch: fits go by it; profits are by 'expected' fills, for 'touch' earns on noise")
    return ModelsDocument(fill=deciding_fill(fill), reality_check=check, symbols=compared), notes


def _reality_check(found: Mapping[str, _Symbol], models: Sequence[str], seed: int) -> Tried | None:
    """Of all that was compared, on the bars that its model cannot have seen."""
    profits = {
        f"{symbol} {model}": DecidingProfits.of(walk_profits(results.results[model][0]))
        for symbol, results in found.items()
        for model in models
        if model in results.results
    }
    return WholeRun.of(profits, seed).reality_check if profits else None


def settings_for(model: str, settings: Settings, own: Model | Composite | None) -> Settings:
    """The settings for one of several models: options of models with weights are for those that have some."""
    settings = replace(settings, given=GivenSettings(), **({} if is_identified(own) else {"cache": "off"}))
    if registry.has_weights(model):
        return replace(settings, model=model)
    kept = settings.network
    options = kept.model_option if registry.is_own(model) else ()
    network = NetworkSettings(device=kept.device, batch=kept.batch, model_option=options)
    return replace(settings, model=model, network=network)


def named(progress: pipeline.Progress, model: str) -> Callable[[str, int, int], None]:
    """Progress that names the current one of several models."""
    return lambda what, done, total: progress(f"{model}: {what}", done, total)


def _compared(symbol: str, models: Sequence[str], found: _Symbol) -> ComparedSymbol:
    first = next((found.results[model][0] for model in models if model in found.results), None)
    benchmarks = {} if first is None else _benchmarks(first, found)
    har = found.results[BENCHMARK][0].forecasts if BENCHMARK in found.results else None
    return ComparedSymbol(
        symbol=symbol if first is None else first.bars.symbol,
        bars=None if first is None else _bars(first),
        benchmarks=[] if first is None else _benchmark_rows(first, benchmarks),
        models=[
            _row(model, *found.results[model], benchmarks, har)
            if model in found.results
            else FailedModel.of(model, found.failures[model])
            for model in models
        ],
    )


def _benchmarks(result: Result, found: _Symbol) -> dict[str, dict[str, Floats]]:
    """Profits `[S]` of the benchmarks by the name of the strategy that is measured, and by their own."""
    fill = deciding_fill(result.rules.fill)
    held = next(track for track in result.baselines if track.name == HOLDING).profits[fill]
    benchmarks = {track.name: {HOLDING: held} for track in result.strategies}
    if BENCHMARK in found.results:
        har, _ = found.results[BENCHMARK]
        for fitted, unfitted in zip(har.strategies, har.baselines, strict=False):  # which come first, in their order
            benchmarks[fitted.name][f"{BENCHMARK} unfitted"] = unfitted.profits[fill]
    return benchmarks


def _benchmark_rows(result: Result, benchmarks: dict[str, dict[str, Floats]]) -> list[BenchmarkRow]:
    several, rows = len(benchmarks) > 1, {}
    for strategy, profits_of in benchmarks.items():
        for name, profits in profits_of.items():
            shown = f"{name} {strategy}" if several and name != HOLDING else name
            rows[shown] = _mean(profits, result.seed)
    return [BenchmarkRow(name=name, **asdict(profit)) for name, profit in rows.items()]


def _mean(profits: Floats, seed: int) -> MeanProfit:
    """Of profits `[S]`, newest first."""
    return MeanProfit.of(profits.mean(), mean_interval(profits[::-1], seed), len(profits))


def _bars(result: Result) -> ComparedBars:
    bars, origins = result.bars, result.walk.origins
    names = bars.names()
    return ComparedBars(
        source=bars.source,
        fingerprint=bars.fingerprint,
        judged=len(origins) - 1,
        first=str(names[origins[0] + 1]),
        last=str(names[-1]),
        evaluated=len(result.walk.evaluated),
    )


def _row(
    model: str,
    result: Result,
    seconds: float | None,
    benchmarks: dict[str, dict[str, Floats]],
    har: Forecasts | None,
) -> ModelRow:
    """Forecasts are judged on every bar of the walk that one was made for, windows included."""
    forecasts, origins = result.forecasts, result.walk.origins[:-1]
    moves, actual = forecasts.moves[:-1], actual_moves(result.bars, origins)
    losses, inside = pinball(moves, actual, LEVELS), covered(moves, actual).mean(0)
    ends = [share_interval(share, len(origins)) for share in inside.tolist()]
    against = None
    if har is not None and model != BENCHMARK:
        against = skill_together(BENCHMARK, losses, pinball(har.moves[:-1], actual, LEVELS))
    side, rose = np.sign(moves[:, CLOSE, MEDIAN]), np.sign(actual[:, CLOSE])
    told = (side != 0) & (rose != 0)
    return ModelRow(
        model=model,
        picked=forecasts.model.name,
        training=forecasts.model.training,
        look_ahead=forecasts.look_ahead,
        exposure=ExposureCounts(**tally(exposures_of(result))),
        pinball_bps=_channels(BASIS_POINTS * losses.mean(0)),
        crps_bps=_channels(BASIS_POINTS * crps(moves, actual, LEVELS).mean(0)),
        coverage=_channels(inside),
        coverage_low=_channels([low for low, _ in ends]),
        coverage_high=_channels([high for _, high in ends]),
        against_har=against,
        close_direction=float((side == rose)[told].mean()) if told.any() else None,
        seconds_a_forecast=seconds,
        made=forecasts.made,
        reused=forecasts.reused,
        strategies=[_strategy(track, result, benchmarks[track.name]) for track in result.strategies],
    )


def _channels(figures: Iterable[float]) -> Channels:
    return Channels(**dict(zip(CHANNELS, map(float, figures), strict=True)))


def _strategy(track: TrackRecord, result: Result, benchmarks: dict[str, Floats]) -> ModelStrategyRow:
    """Profit by the fills that decide, and bar by bar what it is beyond a benchmark's: what moves both cancels."""
    profits = track.profits[deciding_fill(result.rules.fill)]
    alphas = [
        AlphaRow(benchmark=name, **asdict(_mean(profits - other, result.seed))) for name, other in benchmarks.items()
    ]
    return ModelStrategyRow(
        strategy=track.name,
        trades=int(track.trades.sum()),
        **asdict(_mean(profits, result.seed)),
        alphas=alphas,
    )
