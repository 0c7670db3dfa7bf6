"""The forecasts that a backtest rests on, by themselves."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from marketsim import __version__
from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.data.bars import Bars
from marketsim.errors import Failure, MarketsimError, Outcome, Success
from marketsim.forecasting.forecasts import LEVELS, Forecasts
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models import chosen_model
from marketsim.profiling import Clock
from marketsim.results.code import libraries
from marketsim.results.document import deciding
from marketsim.results.rows import Count, Row, Setting, Share, Stamp
from marketsim.results.schema import FailedSymbol
from marketsim.settings.settings import Settings


class SymbolHistory(Row, frozen=True, tag_field="status", tag="ok"):
    """The past forecasts of a symbol."""

    symbol: str
    model: str
    forecasts: Count
    first: Stamp  # origin
    last: Stamp  # origin; the newest bar


class HistoryDocument(Row, frozen=True, tag_field="schema", tag="marketsim.forecast.history/1"):
    """`marketsim forecast --history --json`."""

    marketsim: str  # version
    settings: dict[str, Setting]
    libraries: dict[str, str]  # and their versions
    file: str
    levels: list[Share]  # of the quantiles
    symbols: list[SymbolHistory | FailedSymbol]


def past_forecasts(
    symbols: Sequence[str], settings: Settings, progress: pipeline.Progress
) -> tuple[list[Outcome[tuple[Bars, Forecasts]]], list[str]]:
    """The forecasts at all origins of each symbol's walk, the newest bar's among them; and remarks for stderr."""
    source, model = open_bars(settings.bars), chosen_model(settings)
    notes: list[str] = []
    requests: list[Outcome[ForecastRequest]] = []
    for symbol in symbols:
        try:
            bars = load(symbol, settings.bars, source)
            walk = pipeline.walk_over(bars, settings.walk, model)
            requests.append(Success(ForecastRequest(bars, walk.origins, walk.judged)))
        except MarketsimError as error:
            requests.append(Failure(error))
    with pipeline.open_cache(settings.cache, settings.cache_place) or nullcontext() as cache:
        forecaster = pipeline.open_forecaster(model, cache, settings, Clock(), progress, notes)
        made = iter(forecaster.forecasts([each.value for each in requests if isinstance(each, Success)]))
        found: list[Outcome[tuple[Bars, Forecasts]]] = []
        for each in requests:
            outcome = next(made) if isinstance(each, Success) else each
            if isinstance(each, Success) and isinstance(outcome, Success):
                notes += (*each.value.bars.notes, *outcome.value.notes)
                found.append(Success((each.value.bars, outcome.value)))
            elif isinstance(outcome, Failure):
                found.append(outcome)
        if cache is not None:
            notes += cache.warnings
    return found, notes


def history_document(
    symbols: Sequence[str], outcomes: Sequence[Outcome[tuple[Bars, Forecasts]]], settings: Settings, file: str
) -> HistoryDocument:
    """What was written to `file`."""
    return HistoryDocument(
        marketsim=__version__,
        settings=deciding(settings),
        libraries=libraries(),
        file=file,
        levels=list(LEVELS),
        symbols=[_row(symbol, outcome) for symbol, outcome in zip(symbols, outcomes, strict=True)],
    )


def _row(symbol: str, outcome: Outcome[tuple[Bars, Forecasts]]) -> SymbolHistory | FailedSymbol:
    match outcome:
        case Success((bars, forecasts)):
            names = bars.names(bars.time[forecasts.origins[[0, -1]]])
            return SymbolHistory(
                symbol=bars.symbol,
                model=forecasts.model.name,
                forecasts=len(forecasts.origins),
                first=str(names[0]),
                last=str(names[1]),
            )
        case Failure(error):
            return FailedSymbol.of(symbol, error)
