"""The forecasts behind a backtest, without the backtest."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext

from marketsim import __version__
from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import open_bars
from marketsim.backtesting.forecast_symbols import forecast_symbols
from marketsim.data.bars import Bars
from marketsim.errors import Failure, Outcome, Success
from marketsim.forecasting.forecasts import LEVELS, ForecastBars
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
) -> tuple[list[Outcome[ForecastBars]], list[str]]:
    """The forecasts at all origins of each symbol's walk, the newest bar's among them; and remarks for stderr."""
    source, model = open_bars(settings.bars), chosen_model(settings)
    notes: list[str] = []

    def request(bars: Bars) -> ForecastRequest:
        walk = pipeline.walk_over(bars, settings.walk, model)
        return ForecastRequest(bars, walk.origins, walk.judged)

    with pipeline.open_cache(settings.cache, settings.cache_place) or nullcontext() as cache:
        forecaster = pipeline.open_forecaster(model, cache, settings, Clock(), progress, notes)
        found = forecast_symbols(symbols, settings.bars, source, request, forecaster.forecasts)
        for outcome in found:
            notes += outcome.value.notes if isinstance(outcome, Success) else ()
        notes += cache.warnings if cache is not None else ()
    return found, notes


def history_document(
    symbols: Sequence[str], outcomes: Sequence[Outcome[ForecastBars]], settings: Settings, file: str
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


def _row(symbol: str, outcome: Outcome[ForecastBars]) -> SymbolHistory | FailedSymbol:
    match outcome:
        case Success(made):
            bars, forecasts = made.bars, made.forecasts
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
