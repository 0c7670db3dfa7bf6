"""`marketsim forecast`."""

from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output, tables
from marketsim.cli.output_files import check_file
from marketsim.errors import UsageError
from marketsim.registry import ENSEMBLES, PATH_MODELS, draws_paths

if TYPE_CHECKING:
    from marketsim.backtesting.next_bars import BarForecast, Quantiles, SymbolForecast
    from marketsim.results.schema import FailedSymbol
    from marketsim.settings.settings import Settings


@options.takes(
    *options.all_but(options.VOUCHING, options.RULES, options.GATE, options.COSTS, options.OPTIMIZER, options.WORK)
)
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
    history: Annotated[
        bool, typer.Option("--history", help="Forecast all bars that a backtest needs, and save the forecasts.")
    ] = False,
    file: Annotated[
        str | None, typer.Option("--output", metavar="FILE", help="CSV or Parquet file for --history.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Forecast the next bar of symbols, or several bars.

    It is the forecast that the next-bar plan of a backtest rests on. With --history, all that the backtest rests on;
    `backtest --forecasts FILE` reads them again.
    """
    settings = options.settings_of(command)
    if history != (file is not None):
        raise UsageError("--history and --output FILE go together")
    if overwrite and file is None:
        raise UsageError("--overwrite needs --output FILE, the file to replace")
    if file is not None:
        if horizon > 1:
            raise UsageError("--horizon: a history has the next bar of each origin only")
        return _save(symbols, settings, file, overwrite, json)
    if horizon > 1 and settings.given.forecasts is not None:
        raise UsageError(f"--horizon {horizon}: of a file of forecasts the next bar is read")
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
            _show(row, document.levels, settings)
    return output.failures_shown(errors, len(symbols))


def _save(symbols: list[str], settings: "Settings", file: str, overwrite: bool, json: bool) -> int:
    """Write the past forecasts to `file`."""
    from pathlib import Path

    check_file("--output", file, (".csv", ".parquet"), overwrite)

    from marketsim.backtesting.past_forecasts import SymbolHistory, history_document, past_forecasts
    from marketsim.data.symbols import once_each
    from marketsim.errors import Failure, Success
    from marketsim.forecasting.files.writing import write_forecasts

    symbols, repeated = once_each(symbols)
    output.notes(repeated)
    with output.progress() as progress:
        outcomes, notes = past_forecasts(symbols, settings, progress)
    output.notes(notes)
    made = [outcome.value for outcome in outcomes if isinstance(outcome, Success)]
    if made:
        write_forecasts(made, Path(file))
        document = history_document(symbols, outcomes, settings, file)
        if json:
            output.document(document)
        else:
            rows = [
                (row.symbol, row.model, f"{row.forecasts:,}", row.first, row.last)
                for row in document.symbols
                if isinstance(row, SymbolHistory)
            ]
            output.table(f"Written to {file}", ("Symbol", "Model", "Forecasts", "First origin", "Last origin"), rows)
    errors = [outcome.error for outcome in outcomes if isinstance(outcome, Failure)]
    return output.failures(errors, succeeded=True) if made else output.failures_shown(errors, len(symbols))


def _show(symbol: "SymbolForecast | FailedSymbol", levels: list[float], settings: "Settings") -> None:
    from marketsim.results.schema import FailedSymbol

    if isinstance(symbol, FailedSymbol):
        output.lines(f"{symbol.symbol} failed: {symbol.error}", "")
        return
    bars, model, ahead = symbol.bars, symbol.model, symbol.forecast
    asked, given = settings.model.partition(":")[0], settings.given.forecasts is not None
    picked = f", picked by {asked}" if asked in ENSEMBLES and asked != model.name and not given else ""
    output.lines(
        f"{symbol.symbol}  {bars.source}",
        f"Bars   {tables.extent(bars)}",
        f"Model  {model.name} {model.version}, {model.training}{picked}",
        f"After  {symbol.after}, close {tables.price(symbol.close)}; "
        f"forecast {'made now' if symbol.made else 'read from the file' if given else 'read from the cache'}",
        "",
    )
    output.mark(model.look_ahead is not None)
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
