"""`marketsim forecast`."""

from typing import Annotated, Any

import typer

from marketsim.cli import options, output, tables
from marketsim.errors import UsageError
from marketsim.registry import PATH_MODELS, draws_paths

MEDIAN = 4
LEVELS = (0, MEDIAN, 8)  # that are shown, of the nine
HEADERS = ("10 %", "50 %", "90 %", "Median\nmove %")
CHANNELS = {"Open": "open", "High": "high", "Low": "low", "Close": "close"}
EXTREMES = {"Highest high": "highest", "Lowest low": "lowest"}

Row = dict[str, Any]


@options.takes(options.WALK, options.MODEL, options.NETWORK, options.BARS, options.RANDOM, options.CACHE)
def forecast(
    command: typer.Context,
    symbols: options.Symbols,
    horizon: Annotated[
        int,
        typer.Option("--horizon", metavar="N", min=1, help="Bars ahead; more than 1 with a model that draws paths."),
    ] = 1,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Forecast the bar after each symbol's newest one, on which a next-bar plan rests, or several bars ahead."""
    settings, _ = options.settings_of(command)
    if horizon > 1 and not draws_paths(settings.model):
        raise UsageError(
            f"--horizon {horizon}: model '{settings.model}' forecasts one bar ahead; "
            f"those that can do more: {', '.join(PATH_MODELS)}"
        )

    from marketsim.backtesting import next_bars

    with output.progress() as progress:
        document, notes, errors = next_bars.forecast(symbols, settings, horizon, progress)
    output.notes(notes)
    if json:
        output.document(document)
    elif len(errors) < len(symbols):
        for row in document["symbols"]:
            _show(row, settings.model)
    if not errors:
        return 0
    if len(errors) == len(symbols):
        for error in errors[:-1]:
            output.fail(str(error))
        raise errors[-1]
    output.fail(f"{len(errors)} of {len(symbols)} symbols failed")
    return 4


def _show(symbol: Row, asked: str) -> None:
    if symbol["status"] != "ok":
        output.lines(f"{symbol['symbol']} failed: {symbol['error']}", "")
        return
    bars, model, ahead = symbol["bars"], symbol["model"], symbol["forecast"]
    picked = "" if asked.partition(":")[0] == model["name"] else f", picked by {asked.partition(':')[0]}"
    output.lines(
        f"{symbol['symbol']}  {bars['source']}",
        f"Bars   {tables.extent(bars)}",
        f"Model  {model['name']} {model['version']}, {model['training']}{picked}",
        f"After  {symbol['after']}, close {tables.price(symbol['close'])}; "
        f"forecast {'made now' if symbol['made'] else 'cached'}",
        "",
    )
    if len(ahead) == 1:
        output.table(f"Forecast of {ahead[0]['bar']}", ("Price", *HEADERS), _rows(ahead[0], CHANNELS))
    else:
        _show_path(ahead)
    if symbol["warning"]:
        output.lines(f"{symbol['symbol']}: {symbol['warning']}.", "")


def _show_path(ahead: list[Row]) -> None:
    """A row of four lines a bar, then what the paths reach on the way."""
    span = f"{ahead[0]['bar']} to {ahead[-1]['bar']}"
    bars = [(row["bar"], *("\n".join(column) for column in zip(*_rows(row, CHANNELS), strict=True))) for row in ahead]
    output.table(f"Forecast of {span}", ("Bar", "Price", *HEADERS), bars, words=2)
    output.table("Extremes on the way there", ("Price", *HEADERS), _rows(ahead[-1], EXTREMES))


def _rows(bar: Row, names: dict[str, str]) -> list[tuple[str, ...]]:
    """By name: the prices at the levels that are shown, and the median move in per cent."""
    rows = []
    for label, name in names.items():
        prices, moves = bar[name]["prices"], bar[name]["moves"]
        rows.append((label, *(tables.price(prices[i]) for i in LEVELS), f"{100 * moves[MEDIAN]:+.2f}"))
    return rows
