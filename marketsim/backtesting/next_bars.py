"""The outlook: what a model forecasts of the bars after the newest one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import cast

import numpy as np

from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.data import Source
from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import DataError, Failure, MarketsimError, Outcome, Success, UsageError
from marketsim.forecasting.auto import Auto
from marketsim.forecasting.cache import ForecastCache
from marketsim.forecasting.contamination import exposures
from marketsim.forecasting.ensembles import Ensemble
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import LEVELS, Forecasts
from marketsim.forecasting.model_forecaster import ModelForecaster
from marketsim.forecasting.path_forecasts import AS_PATH, PathCache, Paths
from marketsim.forecasting.protocols import Model, PathModel
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models import open_model
from marketsim.profiling import Clock
from marketsim.results.document import describe, head, identify, symbol_document
from marketsim.results.result import Row, SymbolRun
from marketsim.settings.groups import BarsSettings, WalkSettings
from marketsim.settings.settings import Settings

SCHEMA = "marketsim.forecast/1"
NAMES = (*CHANNELS, "highest", "lowest")  # of the rows of a bar
WARNINGS = {  # by exposure, the worse first
    "contaminated": "these bars reach into the model's training data, so that their forecast proves nothing",
    "unknown": "nobody says how far the model's training data reach; where these bars are past, it may have seen them",
}

Make = Callable[[Sequence[ForecastRequest]], list[Outcome[Forecasts]]]


def forecast(
    symbols: Sequence[str],
    settings: Settings,
    horizon: int = 1,
    progress: pipeline.Progress = lambda what, done, total: None,
) -> tuple[Row, list[str], list[MarketsimError]]:
    """The document of what is forecast of each symbol's next `horizon` bars, remarks for stderr, and what failed.

    A horizon above 1 is for models of `registry.PATH_MODELS`; UsageError where they cannot look so far ahead. A symbol
    that fails is a row that says why.
    """
    source = open_bars(settings.bars)
    model = open_model(settings.model, settings.network, settings.seed)
    rows: list[Row] = []
    notes: list[str] = []
    errors: list[MarketsimError] = []
    with pipeline.open_cache(settings.cache, settings.cache_place) or nullcontext() as cache:
        make = _maker(model, horizon, cache, progress, notes)
        wanted = [_request(symbol, settings.bars, settings.walk, source, model) for symbol in symbols]
        sound = [each for each in wanted if not isinstance(each, MarketsimError)]
        made = (
            found.error if isinstance(found, Failure) else (request.bars, found.value)
            for request, found in zip(sound, make(sound), strict=True)
        )
        for symbol, each in zip(symbols, wanted, strict=True):
            outcome = each if isinstance(each, MarketsimError) else next(made)
            if isinstance(outcome, MarketsimError):
                errors.append(outcome)
                rows.append(symbol_document(SymbolRun(symbol, None, outcome)))
            else:
                bars, forecasts = outcome
                notes += (*bars.notes, *forecasts.notes)
                rows.append(_row(bars, forecasts, horizon))
        if cache is not None:
            notes += cache.warnings
    document = head(settings) | {"schema": SCHEMA, "horizon": horizon, "levels": list(LEVELS), "symbols": rows}
    return document, notes, errors


def _maker(
    model: Model | Ensemble, horizon: int, cache: ForecastCache | None, progress: pipeline.Progress, notes: list[str]
) -> Make:
    """What makes forecasts whose moves are `[N, K, 6, Q]`, of the next bar too."""
    if horizon == 1:
        forecaster = Forecaster(model, cache, Clock(), progress, notes)
        return lambda requests: [
            Success(replace(found.value, moves=found.value.moves[:, None, AS_PATH]))
            if isinstance(found, Success)
            else found
            for found in forecaster.forecasts(requests)
        ]
    model = cast(PathModel, model)
    if horizon > model.horizon:
        raise UsageError(
            f"--horizon {horizon}: model '{model.name}' forecasts at most {model.horizon} bars after a context of "
            f"{model.context}: lower --horizon or --context"
        )
    paths = Paths.of(model, horizon)
    kept = None if cache is None else PathCache(cache, paths)
    path_forecaster = ModelForecaster(paths, kept, Clock(), progress, notes, shape=paths.shape)
    return lambda requests: [
        Success(replace(found.value, model=model)) if isinstance(found, Success) else found
        for found in path_forecaster.forecasts(requests)
    ]


def _request(
    symbol: str, chosen: BarsSettings, lengths: WalkSettings, source: Source, model: Model | Ensemble
) -> ForecastRequest | MarketsimError:
    """The newest origin, and what `auto` picks on: the bars on which a backtest with these settings does."""
    try:
        bars = load(symbol, chosen, source)
        if isinstance(model, Auto):
            walk = pipeline.walk_over(bars, lengths, model)
            return ForecastRequest(bars, walk.origins[-1:], walk.judged)
    except MarketsimError as error:
        return error
    if len(bars) < model.minimum_bars:
        return DataError(f"{bars.symbol}: model '{model.name}' needs {model.minimum_bars} bars, not {len(bars)}")
    return ForecastRequest(bars, np.array([len(bars) - 1]))


def _row(bars: Bars, forecasts: Forecasts, horizon: int) -> Row:
    """A symbol's part of the document; prices and moves of a bar at all levels."""
    opens = bars.next_opens(horizon)
    ends = bars.timetable.ends(opens)
    names = bars.names(np.append(bars.time[-1:], opens))
    tags = exposures(forecasts.model, opens)
    model = identify(forecasts, tags)
    close, (moves,) = float(bars.close[-1]), forecasts.moves[-1:]
    return {
        "symbol": bars.symbol,
        "status": "ok",
        "bars": describe(bars),
        "model": model,
        "made": forecasts.made,
        "reused": forecasts.reused,
        "after": str(names[0]),
        "close": close,
        "forecast": [
            {
                "ahead": k + 1,
                "bar": str(names[k + 1]),
                "ends": str(ends[k]),
                "stale": bars.is_past(opens[k]),
                "exposure": tags[k],
                **{
                    name: {"prices": (close * (1 + row)).tolist(), "moves": row.tolist()}
                    for name, row in zip(NAMES, moves[k], strict=True)
                },
            }
            for k in range(horizon)
        ],
        "warning": next((words for tag, words in WARNINGS.items() if model["exposure"][tag]), None),
    }
