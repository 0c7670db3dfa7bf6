"""`marketsim data fetch`."""

from typing import Annotated, Any

import typer

from marketsim.cli import options, output
from marketsim.errors import MarketsimError, UsageError
from marketsim.registry import PROVIDERS

NAMES = ", ".join("ccxt:EXCHANGE" if name == "ccxt" else name for name in PROVIDERS)


@options.takes(options.STORE)
def fetch(
    command: typer.Context,
    symbols: options.Symbols,
    provider: Annotated[str, typer.Option("--from", metavar="PROVIDER", help=f"{NAMES}.")],
    since: Annotated[
        str | None, typer.Option("--since", metavar="DATE", help="First day of a new symbol. [3,000 bars ago]")
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Fetch all bars again and replace the stored ones.")
    ] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Fetch bars of a provider into the local store.

    Only what is missing is fetched, and the newest bar again. '--source store' reads them.
    """
    chosen = options.settings_of(command).bars

    from marketsim.data.calendars.timeframe import parse_timeframe
    from marketsim.data.fetching import Fetcher
    from marketsim.data.present import present, utc
    from marketsim.data.sources import open_provider
    from marketsim.data.sources.patience import Patience
    from marketsim.data.store import Store

    try:
        begin = None if since is None else utc(since)
    except ValueError:
        raise UsageError(f"--since {since}: must be an ISO date such as 2020-12-31") from None
    rows: list[dict[str, Any]] = []
    errors: list[MarketsimError] = []
    with output.progress() as progress:
        fetcher = Fetcher(
            open_provider(provider, Patience(say=lambda words: output.notes([words]))),
            Store(chosen.store),
            parse_timeframe(chosen.timeframe),
            present(chosen.now),
            replace,
            progress,
        )
        for symbol in symbols:
            try:
                rows.append(_row(fetcher.fetch(symbol, begin)))
            except UsageError:
                raise
            except MarketsimError as error:
                errors.append(error)
                rows.append({"symbol": symbol, "status": "failed", "error": str(error)})
    _show(rows, provider, json)
    return output.failures(errors, succeeded=len(errors) < len(rows))


def _row(fetched: Any) -> dict[str, Any]:
    """The row of a symbol that was fetched."""
    from marketsim.data.reading.read_options import ReadOptions
    from marketsim.data.store import StoreSource

    output.notes(fetched.notes)
    origin, path = fetched.stored.origin, fetched.path
    bars = StoreSource(str(path.parent), ReadOptions(timeframe=origin.timeframe)).load(origin.symbol)
    first, last = bars.names(bars.time[[0, -1]]).tolist()
    return {
        "symbol": origin.symbol,
        "status": "ok",
        "source": origin.source,
        "name": origin.name,
        "timeframe": origin.timeframe,
        "adjusted": origin.adjusted,
        "bars": len(bars),
        "new": fetched.new,
        "first": first,
        "last": last,
        "gaps": bars.gaps,
        "file": str(path),
        "notes": list(fetched.notes),
    }


def _show(rows: list[dict[str, Any]], provider: str, json: bool) -> None:
    if json:
        from msgspec import convert

        from marketsim.cli.documents import FetchDocument, FetchedBars, UnreadableSymbol

        output.document(FetchDocument(symbols=convert(rows, list[FetchedBars | UnreadableSymbol])))
    elif good := [row for row in rows if row["status"] == "ok"]:
        keys = ("symbol", "timeframe", "bars", "new", "first", "last", "gaps")
        cells = [[f"{row[key]:,}" if isinstance(row[key], int) else row[key] for key in keys] for row in good]
        output.table(f"Fetched from {provider}", [key.capitalize() for key in keys], cells, words=2)
