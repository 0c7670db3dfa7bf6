"""`marketsim data list|check|show|convert|resample`."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import options, output
from marketsim.cli.fetch import fetch
from marketsim.cli.help import GroupedCommand
from marketsim.errors import MarketsimError, UsageError

if TYPE_CHECKING:
    from marketsim.data import Source
    from marketsim.data.bars import Bars
    from marketsim.settings.settings import Settings

app = typer.Typer(rich_markup_mode=None, help="List, check, show, convert, resample and fetch bars.")
app.command(cls=GroupedCommand)(fetch)

NEWEST = 5  # bars that `show` prints
FEW = 3  # symbols of which `check` says all that it understood
Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SYMBOL|FILE|SYMBOL=FILE...]", help="Without any, all symbols of the source."),
]


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
    return _survey([], settings, "Bars", json)


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
    return _survey(names or [], settings, "Checked bars", json, few=FEW if names else 0)


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
    wanted = list(_wanted([symbol], settings))
    if len(wanted) > 1:
        known = ", ".join(name for name, _ in wanted[:8])
        raise UsageError(f"{symbol} holds {len(wanted)} symbols, among them {known}: give SYMBOL=FILE")
    name, source = wanted[0]
    if isinstance(source, MarketsimError):
        raise source

    from marketsim.backtesting.chosen_bars import load
    from marketsim.data.ticks import shown_decimals

    bars = load(name, settings.bars, source)
    output.notes(bars.notes)
    facts = _facts(bars) | {"fingerprint": bars.fingerprint}
    names = ("time", "open", "high", "low", "close", "volume")
    newest = list(zip(map(_stamp, bars.time[-NEWEST:]), bars.ohlcv[-NEWEST:].tolist(), strict=True))
    if json:
        from marketsim.cli.documents import BarRow, DataShowDocument

        cells = ((time, *prices, None if volume != volume else volume) for time, (*prices, volume) in newest)
        shown = [BarRow(**dict(zip(names, values, strict=True))) for values in cells]
        output.document(DataShowDocument(**facts, newest=shown))
        return
    output.table(bars.symbol, ("Fact", "Value"), [(key, str(value)) for key, value in facts.items()], words=2)
    decimals = shown_decimals(bars.ohlcv[-1000:, :4])
    rows = [
        [time, *(f"{price:,.{decimals}f}" for price in prices), _count(volume)] for time, (*prices, volume) in newest
    ]
    output.table("Newest bars", [name.capitalize() for name in names], rows)


@app.command(cls=GroupedCommand)
@options.takes(options.BARS, options.STORE)
def convert(
    command: typer.Context,
    names: Names = None,
    to: Annotated[str, typer.Option("--to", metavar="DIR", help="Folder for the Parquet files.")] = "bars",
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Write bars as Parquet files, checked and adjusted, in UTC.

    There is one file per symbol.
    """
    settings = options.settings_of(command)

    from marketsim.data.parquet import write_bars

    def write(bars: "Bars") -> dict[str, Any]:
        path = Path(to, f"{bars.symbol}.parquet")
        write_bars(bars, path)
        return {"file": str(path)}

    return _survey(names or [], settings, f"Written to {to}", json, also=write)


@app.command(cls=GroupedCommand)
@options.takes(options.BARS, options.STORE)
def resample(
    command: typer.Context,
    names: Names = None,
    into: Annotated[str, typer.Option("--into", metavar="T", help="Length of the bars to make.")] = "1d",
    to: Annotated[
        str | None, typer.Option("--to", metavar="DIR", help="Folder for the Parquet files. [bars-T]")
    ] = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Make longer bars of shorter ones, session by session.

    A bar of which shorter ones are missing is left out. There is one Parquet file per symbol.
    """
    settings = options.settings_of(command)

    from marketsim.data.calendars.timeframe import parse_timeframe
    from marketsim.data.parquet import write_bars
    from marketsim.data.resample import resample as resampled

    directory = to or f"bars-{parse_timeframe(into)}"

    def write(bars: "Bars") -> dict[str, Any]:
        path = Path(directory, f"{bars.symbol}.parquet")
        write_bars(bars, path)
        return {"file": str(path)}

    return _survey(
        names or [], settings, f"Written to {directory}", json, also=write, made=lambda bars: resampled(bars, into)
    )


def _survey(
    names: list[str],
    settings: "Settings",
    title: str,
    json: bool,
    few: int = 0,
    also: "Callable[[Bars], dict[str, Any]]" = lambda bars: {},
    made: "Callable[[Bars], Bars]" = lambda bars: bars,
) -> int:
    """A row a symbol; a symbol that cannot be loaded is a row that says why. Of a `few`, all that was understood.

    What is surveyed is `made` of the bars, and what is to be done with it is done by `also`.
    """
    from marketsim.backtesting.chosen_bars import load

    rows: list[dict[str, Any]] = []
    errors: list[MarketsimError] = []
    texts: list[tuple[str, ...]] = []
    notes: dict[str, None] = {}  # those of a folder are those of all its symbols
    for symbol, source in _wanted(names, settings):
        try:
            if isinstance(source, MarketsimError):
                raise source
            bars = made(load(symbol, settings.bars, source))
            understood = _understood(bars, source, settings)
            rows.append(_facts(bars) | understood | also(bars) | {"status": "ok"})
        except MarketsimError as error:
            errors.append(error)
            rows.append({"symbol": symbol, "status": "failed", "error": str(error)})
        else:
            notes |= dict.fromkeys(bars.notes)
            texts.append(_described(bars, understood))
    output.notes(notes)
    if json:
        from msgspec import convert

        from marketsim.cli.documents import BarsRow, DataDocument, UnreadableSymbol

        output.document(DataDocument(symbols=convert(rows, list[BarsRow | UnreadableSymbol])))
    elif 0 < len(texts) <= few:
        for text in texts:
            output.lines(*text)
    elif good := [row for row in rows if row["status"] == "ok"]:
        keys = [
            key for key in ("symbol", "source", "bars", "first", "last", "gaps", "dropped", "file") if key in good[0]
        ]
        cells = [[str(row[key]) for key in keys] for row in good]
        output.table(title, [key.capitalize() for key in keys], cells, words=2)
    return output.failures(errors, succeeded=len(errors) < len(rows))


def _wanted(names: list[str], settings: "Settings") -> "Iterator[tuple[str, Source | MarketsimError]]":
    """Each symbol that is named, by itself or by its file, and where its bars are; all of the source, if none is."""
    from marketsim.backtesting.chosen_bars import open_bars
    from marketsim.data.reading.files import FileSource, is_file_name

    source = open_bars(settings.bars)
    if not names:
        yield from ((symbol, source) for symbol in source.symbols())
    for name in names:
        if not is_file_name(name):
            yield name, source
            continue
        try:
            own = FileSource(name, settings.bars)
            yield from ((symbol, own) for symbol in own.symbols())
        except MarketsimError as error:
            yield name, error


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


def _understood(bars: "Bars", source: "Source", settings: "Settings") -> dict[str, Any]:
    """What was made of a file: its layout and columns, and what follows for the bars."""
    from marketsim.backtesting.costs import fee_bps
    from marketsim.data.reading.files import FileSource

    table = source.table_of(bars.symbol) if isinstance(source, FileSource) else None
    return {
        "layout": table.layout if table else settings.bars.source,
        "columns": table.used if table else [],
        "unused": table.unused if table else [],
        "zone": table.zone if table else bars.timetable.zone,
        "spacing": bars.timetable.spacing,
        "calendar": bars.timetable.calendar.name,
        "fee_bps": fee_bps(bars.crypto, settings.costs),
        "slippage_bps": settings.costs.slippage_bps,
    }


def _described(bars: "Bars", understood: dict[str, Any]) -> tuple[str, ...]:
    """What was understood, in five lines."""
    unused = ", ".join(understood["unused"]) or "none"
    zone = "" if understood["zone"] == "UTC" else f" (the file's zone is {understood['zone']})"
    gaps = f"{bars.gaps:,} gap{'' if bars.gaps == 1 else 's'}"
    return (
        f"{bars.symbol}  {bars.source}: {understood['layout']}",
        f"Columns   {', '.join(understood['columns']) or 'as in all files of the sample'}; not used: {unused}",
        f"Bars      {len(bars):,} from {_stamp(bars.time[0])} to {_stamp(bars.time[-1])} UTC{zone}, "
        f"{_length(understood['spacing'])}",
        f"Calendar  {understood['calendar']}, {gaps}, {bars.dropped:,} rows left out",
        f"Asset     {'crypto, long only' if bars.crypto else 'long and short'}; "
        f"{understood['fee_bps']:g} bps a side, slippage {understood['slippage_bps']:g} bps on closes",
    )


def _length(seconds: int) -> str:
    """The length of a bar in words."""
    for unit, size in (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"bars of a{'n' * (unit == 'hour')} {unit}" if count == 1 else f"bars of {count} {unit}s"
    return f"bars of {seconds} seconds"


def _count(volume: float) -> str:
    """A volume, whole where it is large."""
    return "-" if volume != volume else f"{volume:,.0f}" if volume >= 1000 else f"{volume:,.6g}"


def _stamp(time: object) -> str:
    return str(time).removesuffix("T00:00:00")
