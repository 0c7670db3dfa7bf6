"""Forecasts of the bars after the newest one."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from typing import cast

import numpy as np
from msgspec.structs import replace

from marketsim import __version__
from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import open_bars
from marketsim.backtesting.forecast_symbols import Make, forecast_symbols
from marketsim.data import Source
from marketsim.data.bars import Bars
from marketsim.errors import DataError, Failure, MarketsimError, Success, UsageError
from marketsim.forecasting.auto import Auto
from marketsim.forecasting.cache import ForecastCache
from marketsim.forecasting.contamination import Exposure, exposures_of
from marketsim.forecasting.ensembles import Composite
from marketsim.forecasting.forecasts import CLOSE, HIGH, HIGHEST, LEVELS, LOW, LOWEST, OPEN, Forecasts
from marketsim.forecasting.model_forecaster import ModelForecaster
from marketsim.forecasting.path_forecasts import AS_PATH, PathCache, Paths
from marketsim.forecasting.protocols import Model, PathModel
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models import chosen_model
from marketsim.profiling import Clock
from marketsim.results.code import libraries
from marketsim.results.document import bars_facts, deciding, model_facts
from marketsim.results.rows import Count, Price, Row, Setting, Share, Stamp
from marketsim.results.schema import BarsFacts, FailedSymbol, ModelFacts
from marketsim.settings.groups import WalkSettings
from marketsim.settings.settings import Settings

WARNINGS: dict[Exposure, str] = {  # the worse first
    "contaminated": "these bars reach into the model's training data, so that their forecast proves nothing",
    "unknown": "nobody says how far the model's training data reach; where these bars are past, it may have seen them",
}


class Quantiles(Row, frozen=True):
    """A price at each of the levels."""

    prices: list[Price]
    moves: list[float]  # from the last close, fractions of it


class BarForecast(Row, frozen=True):
    """The forecast of one bar."""

    ahead: Count  # 1 is the next bar
    bar: Stamp
    ends: Stamp
    stale: bool  # it was over when the bars were read
    exposure: Exposure
    open: Quantiles
    high: Quantiles
    low: Quantiles
    close: Quantiles
    highest: Quantiles  # of all bars up to this one
    lowest: Quantiles


class SymbolForecast(Row, frozen=True, tag_field="status", tag="ok"):
    """The forecasts of one symbol's next bars."""

    symbol: str
    bars: BarsFacts
    model: ModelFacts
    made: Count  # forecasts made now
    reused: Count  # forecasts read from the cache
    after: Stamp  # the last bar that was known
    close: Price
    forecast: list[BarForecast]
    warning: str | None


class ForecastDocument(Row, frozen=True, tag_field="schema", tag="marketsim.forecast/1"):
    """`marketsim forecast --json`."""

    marketsim: str  # version
    settings: dict[str, Setting]
    libraries: dict[str, str]  # and their versions
    horizon: Count
    levels: list[Share]  # of the quantiles
    symbols: list[SymbolForecast | FailedSymbol]


def forecast(
    symbols: Sequence[str],
    settings: Settings,
    horizon: int = 1,
    progress: pipeline.Progress = lambda what, done, total: None,
    source: Source | None = None,
    model: Model | Composite | None = None,
) -> tuple[ForecastDocument, list[str], list[MarketsimError]]:
    """The document of what is forecast of each symbol's next `horizon` bars, remarks for stderr, and what failed.

    A horizon above 1 is for models of `registry.PATH_MODELS`; UsageError where they cannot look so far ahead. A symbol
    that fails is a row that says why. `source` and `model` take the place of those that the settings name.
    """
    source = source or open_bars(settings.bars)
    model = model or chosen_model(settings)
    rows: list[SymbolForecast | FailedSymbol] = []
    notes: list[str] = []
    errors: list[MarketsimError] = []
    with pipeline.open_cache(settings.cache, settings.cache_place) or nullcontext() as cache:
        make = _maker(model, horizon, settings, cache, progress, notes)
        request = partial(_request, lengths=settings.walk, model=model)
        found = forecast_symbols(symbols, settings.bars, source, request, make)
        for symbol, outcome in zip(symbols, found, strict=True):
            match outcome:
                case Success(made):
                    notes += made.notes
                    rows.append(_row(made.bars, made.forecasts, horizon))
                case Failure(error):
                    errors.append(error)
                    rows.append(FailedSymbol.of(symbol, error))
        notes += cache.warnings if cache is not None else ()
    document = ForecastDocument(
        marketsim=__version__,
        settings=deciding(settings),
        libraries=libraries(),
        horizon=horizon,
        levels=list(LEVELS),
        symbols=rows,
    )
    return document, notes, errors


def _maker(
    model: Model | Composite,
    horizon: int,
    settings: Settings,
    cache: ForecastCache | None,
    progress: pipeline.Progress,
    notes: list[str],
) -> Make:
    """What makes forecasts whose moves are `[N, K, 6, Q]`, of the next bar too.

    After the newest bar nobody can look ahead: a model that an audit caught forecasts, and it is said.
    """
    if horizon == 1:
        marking = settings.replace(allow_lookahead=True)
        forecaster = pipeline.open_forecaster(model, cache, marking, Clock(), progress, notes)
        return lambda requests: [
            Success(replace(found.value, moves=found.value.moves[:, None, AS_PATH]))
            if isinstance(found, Success)
            else found
            for found in forecaster.forecasts(requests)
        ]
    if not hasattr(model, "paths"):
        raise UsageError(f"horizon {horizon}: model '{model.name}' forecasts one bar ahead")
    model = cast(PathModel, model)
    if horizon > model.horizon:
        raise UsageError(
            f"--horizon {horizon}: model '{model.name}' forecasts at most {model.horizon} bars after a context of "
            f"{model.context}: lower --horizon or --context"
        )
    paths = Paths.of(model, horizon)
    kept = None if cache is None else PathCache(cache, paths)
    path_forecaster = ModelForecaster(paths, kept, Clock(), progress, notes, settings.network.batch, paths.shape)
    return lambda requests: [
        Success(replace(found.value, model=model)) if isinstance(found, Success) else found
        for found in path_forecaster.forecasts(requests)
    ]


def _request(bars: Bars, lengths: WalkSettings, model: Model | Composite) -> ForecastRequest:
    """The newest origin, and what `auto` picks on: the bars on which a backtest with these settings does."""
    if isinstance(model, Auto):
        walk = pipeline.walk_over(bars, lengths, model)
        return ForecastRequest(bars, walk.origins[-1:], walk.judged)
    if len(bars) < model.minimum_bars:
        raise DataError(f"{bars.symbol}: model '{model.name}' needs {model.minimum_bars} bars, not {len(bars)}")
    return ForecastRequest(bars, np.array([len(bars) - 1]))


def _row(bars: Bars, forecasts: Forecasts, horizon: int) -> SymbolForecast:
    """A symbol's part of the document; prices and moves of a bar at all levels."""
    opens = bars.next_opens(horizon)
    ends = bars.timetable.ends(opens)
    names = bars.names(np.append(bars.time[-1:], opens))
    tags = exposures_of(forecasts, [len(forecasts.origins) - 1] * horizon, opens)
    close, (moves,) = float(bars.close[-1]), forecasts.moves[-1:]

    def quantiles(bar: int, channel: int) -> Quantiles:
        row = moves[bar, channel]
        return Quantiles(prices=(close * (1 + row)).tolist(), moves=row.tolist())

    return SymbolForecast(
        symbol=bars.symbol,
        bars=bars_facts(bars),
        model=model_facts(forecasts, tags),
        made=forecasts.made,
        reused=forecasts.reused,
        after=str(names[0]),
        close=close,
        forecast=[
            BarForecast(
                ahead=k + 1,
                bar=str(names[k + 1]),
                ends=str(ends[k]),
                stale=bars.is_past(opens[k]),
                exposure=tags[k],
                open=quantiles(k, OPEN),
                high=quantiles(k, HIGH),
                low=quantiles(k, LOW),
                close=quantiles(k, CLOSE),
                highest=quantiles(k, HIGHEST),
                lowest=quantiles(k, LOWEST),
            )
            for k in range(horizon)
        ],
        warning=_warning(tags, forecasts),
    )


def _warning(tags: Sequence[Exposure], forecasts: Forecasts) -> str | None:
    """What a reader must know of the model: that it was caught, or may have seen these bars."""
    if forecasts.look_ahead:
        return f"{forecasts.look_ahead}: its past profits do not count"
    worst = next((tag for tag in WARNINGS if tag in tags), None)
    return forecasts.doubt if worst == "unknown" and forecasts.doubt else WARNINGS[worst] if worst else None
