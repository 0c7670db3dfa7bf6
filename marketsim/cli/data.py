"""`marketsim data list|check|show`, and the commands of other files in the group."""

from typing import Annotated

import typer

from marketsim.cli import options, output
from marketsim.cli.convert import convert, resample
from marketsim.cli.fetch import fetch
from marketsim.cli.help import GroupedCommand
from marketsim.cli.survey import Names, asset, facts_of, stamp, survey, symbols_of
from marketsim.errors import MarketsimError, UsageError

app = typer.Typer(rich_markup_mode=None, help="List, check, show, convert, resample and fetch bars.")
for other in (convert, resample, fetch):
    app.command(cls=GroupedCommand)(other)

NEWEST = 5  # bars that `show` prints
FEW = 3  # symbols of which `check` says all that it understood


@app.command("list", cls=GroupedCommand)
@options.takes(options.BARS, options.STORE)
def list_(
    command: typer.Context,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """List the symbols of the source."""
    settings = options.settings_of(command)
    return survey([], settings, "Bars", json)


@app.command(cls=GroupedCommand)
@options.takes(options.BARS, options.STORE, options.COSTS)
def check(
    command: typer.Context,
    names: Names = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Check bars, and show how a file is read.

    The exit code is 3 if all symbols fail, 4 if some do.
    """
    settings = options.settings_of(command)
    return survey(names or [], settings, "Checked bars", json, few=FEW if names else 0)


@app.command(cls=GroupedCommand)
@options.takes(options.BARS, options.STORE)
def show(
    command: typer.Context,
    symbol: Annotated[str, typer.Argument(metavar="SYMBOL|FILE|SYMBOL=FILE", help="Such as ETHUSD.")],
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show one symbol and its newest bars, rounded to ticks."""
    settings = options.settings_of(command)
    found = list(symbols_of([symbol], settings))
    if len(found) > 1:
        known = ", ".join(name for name, _ in found[:8])
        raise UsageError(f"{symbol} holds {len(found)} symbols, among them {known}: give SYMBOL=FILE")
    name, source = found[0]
    if isinstance(source, MarketsimError):
        raise source

    from marketsim.backtesting.chosen_bars import load
    from marketsim.data.ticks import shown_decimals

    bars = load(name, settings.bars, source)
    output.notes(bars.notes)
    names = ("time", "open", "high", "low", "close", "volume")
    newest = list(zip(map(stamp, bars.time[-NEWEST:]), bars.ohlcv[-NEWEST:].tolist(), strict=True))
    if json:
        from marketsim.cli.documents import BarRow, DataShowDocument

        cells = ((time, *prices, None if volume != volume else volume) for time, (*prices, volume) in newest)
        shown = [BarRow(**dict(zip(names, values, strict=True))) for values in cells]
        output.document(DataShowDocument(**facts_of(bars), fingerprint=bars.fingerprint, newest=shown))
        return
    facts = (
        ("Bars", f"{len(bars):,}"),
        ("First", stamp(bars.time[0])),
        ("Last", stamp(bars.time[-1])),
        ("Gaps", f"{bars.gaps:,}"),
        ("Left out", f"{bars.dropped:,}"),
        ("Asset", asset(bars)),
        ("Source", bars.source),
        ("Fingerprint", bars.fingerprint),
    )
    output.table(bars.symbol, ("Fact", "Value"), facts, words=2)
    decimals = shown_decimals(bars.ohlcv[-1000:, :4])
    rows = [
        [time, *(f"{price:,.{decimals}f}" for price in prices), _count(volume)] for time, (*prices, volume) in newest
    ]
    output.table("Newest bars", [name.capitalize() for name in names], rows)


def _count(volume: float) -> str:
    """A volume, whole where it is large."""
    return "-" if volume != volume else f"{volume:,.0f}" if volume >= 1000 else f"{volume:,.6g}"
