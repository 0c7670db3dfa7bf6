"""`marketsim cache info|clear|prune|verify`."""

import math
from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output
from marketsim.cli.completion import symbols
from marketsim.cli.help import GroupedCommand
from marketsim.errors import MarketsimError, UsageError

if TYPE_CHECKING:
    from marketsim.forecasting.audit_records import AuditRecord, AuditRecords
    from marketsim.forecasting.cache import ForecastCache
    from marketsim.forecasting.cache.forecast_cache import CacheInfo

app = typer.Typer(rich_markup_mode=None, help="Inspect, clear, prune and verify the forecast cache.")

MIB = 2**20
MOST_DAYS, MOST_MIB = 1e6, 1e9  # larger numbers are mistakes


@app.command(cls=GroupedCommand)
@options.takes(options.CACHE_PLACE)
def info(
    command: typer.Context,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show where the cache is and what it holds."""
    with _open(command, "readonly") as cache:
        held = cache.info()
        output.notes(cache.warnings)
    audits = records.all() if (records := _records(command, "readonly")) else []
    if json:
        from msgspec.structs import asdict

        from marketsim.cli.documents import AuditRecordRow, CachedModelRow, CacheDocument, MovedFileRow

        models, moved = ([asdict(row) for row in rows] for rows in (held.models, held.moved))
        output.document(
            CacheDocument(
                path=held.place,
                bytes=held.bytes,
                forecasts=held.forecasts,
                oldest=_date(held.oldest),
                newest=_date(held.newest),
                models=[CachedModelRow(**row) for row in models],
                symbols={row.symbol: row.forecasts for row in held.symbols},
                moved_aside=[MovedFileRow(**row) for row in moved],
                audits=[AuditRecordRow.of(record) for record in audits],
            )
        )
        return
    output.lines(f"Forecast cache {held.place}", "")
    if held.forecasts:
        _held(held)
    else:
        output.lines("It holds no forecasts.")
    if audits:
        rows = [(record.model, record.fingerprint[:12], _words(record)) for record in audits]
        output.table("What audits of your own models and files found", ("Model", "Fingerprint", "Found"), rows, words=3)
    if held.moved:
        moved_aside = [(file.name, f"{file.bytes:,}") for file in held.moved]
        output.table(
            "Damaged or foreign files, moved aside; `cache clear` deletes them", ("File", "Bytes"), moved_aside
        )


def _held(held: "CacheInfo") -> None:
    """How many forecasts there are, from when, and whose."""
    oldest, newest = map(_date, (held.oldest, held.newest))
    contents = [("Size", _size(held.bytes)), ("Forecasts", f"{held.forecasts:,}")]
    contents += [("Oldest", oldest or "-"), ("Newest", newest or "-")]
    output.table("Contents", ("Fact", "Value"), contents, words=2)
    by_model = [
        (f"{model.name} {model.version}" if model.name else "unknown", model.fingerprint[:12], f"{model.forecasts:,}")
        for model in held.models
    ]
    output.table("By model", ("Model", "Fingerprint", "Forecasts"), by_model, words=2)
    output.table("By symbol", ("Symbol", "Forecasts"), [(row.symbol, f"{row.forecasts:,}") for row in held.symbols])


@app.command(cls=GroupedCommand)
@options.takes(options.CACHE_PLACE)
def clear(
    command: typer.Context,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Delete all forecasts and all findings of audits.

    Damaged files that were moved aside are deleted too.
    """
    with _open(command, "readwrite") as cache:
        records = _records(command, "readwrite")
        _deleted(cache, cache.clear(), json, records.clear() if records else 0)


@app.command(cls=GroupedCommand)
@options.takes(options.CACHE_PLACE)
def prune(
    command: typer.Context,
    older_than: Annotated[
        float | None,
        typer.Option("--older-than", metavar="DAYS", min=0, max=MOST_DAYS, help="Delete forecasts older than this."),
    ] = None,
    keep: Annotated[
        float | None,
        typer.Option("--keep", metavar="MIB", min=0, max=MOST_MIB, help="Then delete the oldest, down to this size."),
    ] = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Delete old forecasts."""
    if not all(math.isfinite(limit) for limit in (older_than or 0.0, keep or 0.0)):
        raise UsageError("--older-than and --keep must be finite numbers")
    if older_than is None and keep is None:
        raise UsageError("prune needs --older-than DAYS or --keep MIB")
    with _open(command, "readwrite") as cache:
        _deleted(cache, cache.prune(older_than, None if keep is None else round(keep * MIB)), json)


@app.command(cls=GroupedCommand)
@options.takes(
    options.MODEL, options.BARS, options.STORE, options.SEED, options.OWN_MODEL, options.NETWORK, options.CACHE_PLACE
)
def verify(
    command: typer.Context,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL...]", help="By default all symbols of the source.", autocompletion=symbols),
    ] = None,
    sample_seed: Annotated[
        int | None,
        typer.Option("--sample-seed", metavar="N", min=0, help="Random seed of the sample. [random, printed]"),
    ] = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Check all digests, and make a random sample of forecasts again.

    The exit code is 1 if a forecast is damaged or differs.
    """
    settings = options.settings_of(command)
    if settings.given.forecasts is not None:
        raise UsageError("cache verify has nothing to verify of --forecasts: what is read from a file is not cached")

    import secrets

    from marketsim.backtesting.chosen_bars import load, open_bars
    from marketsim.cli.documents import CheckedDigests, VerifiedSymbol, VerifyDocument
    from marketsim.forecasting.cache.verification import check_digests
    from marketsim.forecasting.cache.verification import verify as compare
    from marketsim.forecasting.ensembles import is_composite
    from marketsim.models import open_model

    source = open_bars(settings.bars)
    forecaster = open_model(settings.model, settings.network, settings.seed)
    if is_composite(forecaster):
        raise UsageError(
            f"--model {settings.model}: the forecasts of its members are cached, not its own: verify those"
        )
    seed = secrets.randbelow(2**32) if sample_seed is None else sample_seed
    with _open(command, "readonly") as cache:
        digests = check_digests(cache)
        found = {
            symbol: compare(cache, forecaster, load(symbol, settings.bars, source), seed)
            for symbol in symbols or source.symbols()
        }
        output.notes(cache.warnings)
    rows = [
        VerifiedSymbol(
            symbol=symbol, cached=verified.cached, checked=verified.checked, different=len(verified.different)
        )
        for symbol, verified in found.items()
    ]
    if json:
        checked = CheckedDigests(rows=digests.rows, damaged=digests.damaged)
        output.document(VerifyDocument(model=settings.model, seed=seed, digests=checked, symbols=rows))
    else:
        output.lines(f"{digests.rows:,} forecasts checked by their digests, {digests.damaged:,} damaged", "")
        cells = [[row.symbol, *map(str, (row.cached, row.checked, row.different))] for row in rows]
        output.table(f"Cached forecasts of {settings.model}", ("Symbol", "Cached", "Checked", "Different"), cells)
        output.lines("", f"The sample was drawn with --sample-seed {seed}.")
    _judge(digests.damaged, sum(len(checked.different) for checked in found.values()))


def _judge(damaged: int, different: int) -> None:
    """MarketsimError where a verification found a fault."""
    faults = []
    if damaged:
        faults.append(f"{damaged} cached forecasts are damaged; the next run that needs them makes them again")
    if different:
        faults.append(f"{different} cached forecasts differ; make them again with --cache refresh")
    if faults:
        raise MarketsimError(", and ".join(faults))


def _open(command: typer.Context, mode: str) -> "ForecastCache":
    settings = options.settings_of(command)

    from marketsim.forecasting.cache import connect

    cache = connect(settings.cache_place, mode)
    if cache.warnings and not (cache.usable and cache.mode == mode):
        reason = cache.warnings[0].removesuffix("; continuing without it").removesuffix("; no new forecasts are saved")
        kind = MarketsimError if cache.mode == mode else UsageError  # where nothing can be written, an option is wrong
        raise kind(f"{reason}; {cache.remedy}")
    return cache


def _records(command: typer.Context, mode: str) -> "AuditRecords | None":
    from marketsim.forecasting.audit_records import open_records

    return open_records(options.settings_of(command).cache_place, mode)


def _words(record: "AuditRecord") -> str:
    """The finding of an audit, in a few words."""
    if record.evidence is not None:
        return f"{record.evidence.what} ({record.evidence.symbol})"
    if record.doubt is not None:
        return record.doubt
    return f"passed on {record.symbol}" if record.symbol is not None else f"no doubt of {', '.join(record.doubts)}"


def _deleted(cache: "ForecastCache", forecasts: int, json: bool, audits: int = 0) -> None:
    output.notes(cache.warnings)
    if json:
        from marketsim.cli.documents import DeletedDocument

        output.document(DeletedDocument(path=cache.place, deleted=forecasts, audits=audits))
    else:
        more = f" and {audits:,} {'record' if audits == 1 else 'records'} of audits" if audits else ""
        what = "forecast" if forecasts == 1 else "forecasts"
        output.lines(f"{forecasts:,} {what}{more} deleted from {cache.place}")


def _size(count: int) -> str:
    return f"{count / MIB:,.1f} MiB" if count >= MIB else f"{count:,} bytes"


def _date(stamp: int | None) -> str | None:
    from datetime import UTC, datetime

    return None if stamp is None else f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}"
