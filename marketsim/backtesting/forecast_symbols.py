"""Forecasts of several symbols, without fits and trades."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from marketsim.backtesting.chosen_bars import load
from marketsim.data import Source
from marketsim.data.bars import Bars
from marketsim.errors import Failure, MarketsimError, Outcome, Success
from marketsim.forecasting.forecasts import ForecastBars, Forecasts
from marketsim.forecasting.requests import ForecastRequest
from marketsim.settings.groups import BarsSettings

Request = Callable[[Bars], ForecastRequest]  # what is wanted of a symbol's bars; MarketsimError where it cannot be had
Make = Callable[[Sequence[ForecastRequest]], list[Outcome[Forecasts]]]


def forecast_symbols(
    symbols: Sequence[str], chosen: BarsSettings, source: Source, request: Request, make: Make
) -> list[Outcome[ForecastBars]]:
    """What `make` makes of the `request` of each symbol, all of them together, or why a symbol has none."""
    requests = [_requested(symbol, chosen, source, request) for symbol in symbols]
    made = iter(make([request.value for request in requests if isinstance(request, Success)]))
    found: list[Outcome[ForecastBars]] = []
    for asked in requests:
        match asked:
            case Success(wanted):
                found.append(_with_bars(wanted.bars, next(made)))
            case Failure():
                found.append(asked)
    return found


def _requested(symbol: str, chosen: BarsSettings, source: Source, request: Request) -> Outcome[ForecastRequest]:
    try:
        return Success(request(load(symbol, chosen, source)))
    except MarketsimError as error:
        return Failure(error)


def _with_bars(bars: Bars, forecasts: Outcome[Forecasts]) -> Outcome[ForecastBars]:
    match forecasts:
        case Success(found):
            return Success(ForecastBars(bars, found))
        case Failure():
            return forecasts
