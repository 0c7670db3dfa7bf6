"""`marketsim forecast`."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output, tables
from marketsim.errors import UsageError
from marketsim.registry import PATH_MODELS, draws_paths

if TYPE_CHECKING:
    from marketsim.backtesting.next_bars import BarForecast, Quantiles, SymbolForecast
    from marketsim.results.schema import FailedSymbol


@options.takes(*options.all_but(options.RULES, options.GATE, options.COSTS, options.OPTIMIZER, options.WORK))
def forecast(
    command: typer.Context,
    symbols: options.Symbols,
    horizon: Annotated[
        int,
        typer.Option(
            "--horizon",
            metavar="N",
            min=1,
            help="Bars ahead; more than 1 needs a model that draws paths, such as kronos.",
        ),
    ] = 1,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Forecast the next bar of symbols, or several bars.

    It is the forecast that the next-bar plan of a backtest rests on.
    """
    settings = options.settings_of(command)
    if horizon > 1 and not draws_paths(settings.model):
        raise UsageError(
            f"--horizon {horizon}: model '{settings.model}' forecasts one bar ahead; "
            f"those that can do more: {', '.join(PATH_MODELS)}"
        )

    from marketsim.backtesting import next_bars
    from marketsim.data.symbols import once_each

    symbols, repeated = once_each(symbols)
    output.notes(repeated)
    with output.progress() as progress:
        document, notes, errors = next_bars.forecast(symbols, settings, horizon, progress)
    output.notes(notes)
    if json:
        output.document(document)
    elif len(errors) < len(symbols):
        for row in document.symbols:
            _show(row, document.levels, settings.model)
    if not errors:
        return 0
    if len(errors) == len(symbols):
        for error in errors[:-1]:
            output.fail(str(error))
        raise errors[-1]
    output.fail(f"{len(errors)} of {len(symbols)} symbols failed")
    return 4


def _show(symbol: "SymbolForecast | FailedSymbol", levels: list[float], asked: str) -> None:
    from marketsim.results.schema import FailedSymbol

    if isinstance(symbol, FailedSymbol):
        output.lines(f"{symbol.symbol} failed: {symbol.error}", "")
        return
    bars, model, ahead = symbol.bars, symbol.model, symbol.forecast
    picked = "" if asked.partition(":")[0] == model.name else f", picked by {asked.partition(':')[0]}"
    output.lines(
        f"{symbol.symbol}  {bars.source}",
        f"Bars   {tables.extent(bars)}",
        f"Model  {model.name} {model.version}, {model.training}{picked}",
        f"After  {symbol.after}, close {tables.price(symbol.close)}; "
        f"forecast {'made now' if symbol.made else 'read from the cache'}",
        "",
    )
    headers = _headers(levels)
    over = ahead[0].stale
    if len(ahead) == 1:
        title = f"Forecast of {ahead[0].bar}{', which is over' if over else ''}"
        output.table(title, ("Price", *headers), _channels(ahead[0], levels))
    else:
        title = f"Forecast of {ahead[0].bar} to {ahead[-1].bar}{', of which the first is over' if over else ''}"
        bars_ = [(bar.bar, *map("\n".join, zip(*_channels(bar, levels), strict=True))) for bar in ahead]
        output.table(title, ("Bar", "Price", *headers), bars_, words=2)
        last = ahead[-1]
        extremes = [_row("Highest high", last.highest, levels), _row("Lowest low", last.lowest, levels)]
        output.table("Extremes on the way", ("Price", *headers), extremes)
    if symbol.warning:
        output.lines(f"{symbol.symbol}: {symbol.warning}.", "")


def _shown(levels: list[float]) -> tuple[int, int, int]:
    """The lowest of the levels, the median and the highest."""
    return 0, levels.index(0.5), len(levels) - 1


def _headers(levels: list[float]) -> tuple[str, ...]:
    return (*(f"{100 * levels[i]:.0f} %" for i in _shown(levels)), "Median\nmove %")


def _channels(bar: "BarForecast", levels: list[float]) -> list[tuple[str, ...]]:
    channels = {"Open": bar.open, "High": bar.high, "Low": bar.low, "Close": bar.close}
    return [_row(label, quantiles, levels) for label, quantiles in channels.items()]


def _row(label: str, quantiles: "Quantiles", levels: list[float]) -> tuple[str, ...]:
    """The prices at the levels that are shown, and the median move in per cent."""
    prices = (tables.price(quantiles.prices[i]) for i in _shown(levels))
    return label, *prices, f"{100 * quantiles.moves[levels.index(0.5)]:+.2f}"
