"""`marketsim data list|show|check`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import options, output
from marketsim.cli.help import GroupedCommand
from marketsim.errors import MarketsimError

if TYPE_CHECKING:
    from marketsim.data.bars import Bars

app = typer.Typer(rich_markup_mode=None, help="Look at the bars: list, show, check.")

NEWEST = 5  # bars that `show` prints


@app.command("list", cls=GroupedCommand)
@options.takes(options.BARS)
def list_(
    command: typer.Context,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """List the symbols that there are bars of."""
    return _survey(command, [], "Bars", json)


@app.command(cls=GroupedCommand)
@options.takes(options.BARS)
def check(
    command: typer.Context,
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL...]", help="All, if none.")] = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Check bars: order, gaps, prices. The exit code is 3 when all fail, 4 when some do."""
    return _survey(command, symbols or [], "Checked bars", json)


@app.command(cls=GroupedCommand)
@options.takes(options.BARS)
def show(
    command: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL", help="Such as ETHUSD.")],
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show what is known of one symbol, and its newest bars."""
    settings = options.settings_of(command)

    from marketsim.backtesting.chosen_bars import load, open_bars

    bars = load(symbol, settings.bars, open_bars(settings.bars))
    output.notes(bars.notes)
    facts = _facts(bars) | {"fingerprint": bars.fingerprint}
    names = ("time", "open", "high", "low", "close", "volume")
    newest = [
        (_stamp(time), *(None if value != value else float(value) for value in row))
        for time, row in zip(bars.time[-NEWEST:], bars.ohlcv[-NEWEST:], strict=True)
    ]
    if json:
        shown = [dict(zip(names, row, strict=True)) for row in newest]
        output.document({"schema": "marketsim.data.show/1", **facts, "newest": shown})
        return
    output.table(bars.symbol, ("Fact", "Value"), [(key, str(value)) for key, value in facts.items()], words=2)
    rows = [["-" if cell is None else str(cell) for cell in row] for row in newest]
    output.table("Newest bars", [name.capitalize() for name in names], rows)


def _facts(bars: "Bars") -> dict[str, Any]:
    return {
        "symbol": bars.symbol,
        "bars": len(bars),
        "first": _stamp(bars.time[0]),
        "last": _stamp(bars.time[-1]),
        "crypto": bars.crypto,
        "gaps": bars.gaps,
        "dropped": bars.dropped,
        "source": bars.source,
    }


def _stamp(time: object) -> str:
    return str(time).removesuffix("T00:00:00")


def _survey(command: typer.Context, symbols: list[str], title: str, json: bool) -> int:
    """A row a symbol; a symbol that cannot be loaded is a row that says why."""
    chosen = options.settings_of(command).bars

    from marketsim.backtesting.chosen_bars import load, open_bars

    source = open_bars(chosen)
    rows: list[dict[str, Any]] = []
    errors: list[MarketsimError] = []
    for symbol in symbols or source.symbols():
        try:
            bars = load(symbol, chosen, source)
        except MarketsimError as error:
            errors.append(error)
            rows.append({"symbol": symbol, "status": "failed", "error": str(error)})
        else:
            output.notes(bars.notes)
            rows.append(_facts(bars) | {"status": "ok"})
    if json:
        output.document({"schema": "marketsim.data/1", "symbols": rows})
    elif good := [row for row in rows if row["status"] == "ok"]:
        keys = ("symbol", "source", "bars", "first", "last", "gaps", "dropped")
        cells = [[str(row[key]) for key in keys] for row in good]
        output.table(title, [key.capitalize() for key in keys], cells, words=2)
    for failure in errors:
        output.fail(str(failure))
    return 0 if not errors else 4 if len(errors) < len(rows) else errors[0].exit_code
