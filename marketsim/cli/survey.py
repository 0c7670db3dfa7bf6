"""The symbols of a source or of files, a row each, as `marketsim data` lists, checks and converts them."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import output
from marketsim.errors import MarketsimError

if TYPE_CHECKING:
    from marketsim.data import Source
    from marketsim.data.bars import Bars
    from marketsim.settings.settings import Settings

Names = Annotated[
    list[str] | None,
    typer.Argument(metavar="[SYMBOL|FILE|SYMBOL=FILE...]", help="By default all symbols of the source."),
]


def survey(
    names: list[str],
    settings: "Settings",
    title: str,
    json: bool,
    few: int = 0,
    before: "Callable[[str], None]" = lambda symbol: None,
    made: "Callable[[Bars], Bars]" = lambda bars: bars,
    also: "Callable[[Bars], dict[str, Any]]" = lambda bars: {},
) -> int:
    """Show a row for each symbol, or the reason why it cannot be loaded; for a `few` symbols all details.

    `before` a symbol is loaded, it may be refused; the row is about what is `made` of its bars, and `also` does what is
    to be done with that and adds to the row.
    """
    from marketsim.backtesting.chosen_bars import load

    rows: list[dict[str, Any]] = []
    errors: list[MarketsimError] = []
    texts: list[tuple[str, ...]] = []
    notes: dict[str, None] = {}  # those of a folder are those of all its symbols
    for symbol, source in symbols_of(names, settings):
        try:
            if isinstance(source, MarketsimError):
                raise source
            before(symbol)
            bars = made(load(symbol, settings.bars, source))
            understood = _understood(bars, source, settings)
            rows.append(facts_of(bars) | understood | also(bars) | {"status": "ok"})
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


def symbols_of(names: list[str], settings: "Settings") -> "Iterator[tuple[str, Source | MarketsimError]]":
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


def facts_of(bars: "Bars") -> dict[str, Any]:
    """The facts of bars in a document."""
    return {
        "symbol": bars.symbol,
        "bars": len(bars),
        "first": stamp(bars.time[0]),
        "last": stamp(bars.time[-1]),
        "crypto": bars.crypto,
        "gaps": bars.gaps,
        "dropped": bars.dropped,
        "source": bars.source,
    }


def _understood(bars: "Bars", source: "Source", settings: "Settings") -> dict[str, Any]:
    """How a file was read: its layout and columns, and what follows for the bars."""
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
    """How a file was read, in five lines."""
    unused = ", ".join(understood["unused"]) or "none"
    zone = "" if understood["zone"] == "UTC" else f" (the file's zone is {understood['zone']})"
    gaps = f"{bars.gaps:,} gap{'' if bars.gaps == 1 else 's'}"
    return (
        f"{bars.symbol}  {bars.source}: {understood['layout']}",
        f"Columns   {', '.join(understood['columns']) or 'as in all files of the sample'}; not used: {unused}",
        f"Bars      {len(bars):,} from {stamp(bars.time[0])} to {stamp(bars.time[-1])} UTC{zone}, "
        f"{_length(understood['spacing'])}",
        f"Calendar  {understood['calendar']}, {gaps}, {bars.dropped:,} rows left out",
        f"Asset     {asset(bars)}; "
        f"{understood['fee_bps']:g} bps a side, slippage {understood['slippage_bps']:g} bps on closes",
    )


def asset(bars: "Bars") -> str:
    """Whether the asset is a coin, and so which sides can be traded."""
    return "crypto, long only" if bars.crypto else "long and short"


def _length(seconds: int) -> str:
    """The length of a bar in words."""
    for unit, size in (("week", 604_800), ("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size and seconds % size == 0:
            count = seconds // size
            return f"bars of a{'n' * (unit == 'hour')} {unit}" if count == 1 else f"bars of {count} {unit}s"
    return f"bars of {seconds} seconds"


def stamp(time: object) -> str:
    """A time, of a daily bar its date."""
    return str(time).removesuffix("T00:00:00")
