"""`marketsim cache info|clear|prune|verify`."""

import math
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import options, output
from marketsim.errors import MarketsimError, UsageError

if TYPE_CHECKING:
    from marketsim.forecasting.cache import ForecastCache

app = typer.Typer(rich_markup_mode=None, help="Look after the forecast cache: info, clear, prune, verify.")

MIB = 2**20


@app.command()
def info(
    context: typer.Context,
    cache_dir: options.CacheDir = None,
    cache_url: options.CacheUrl = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Show where the cache is and what it holds."""
    with _open(context, "readonly") as cache:
        held = cache.info()
        output.notes(cache.warnings)
    facts = {
        "path": held.place,
        "bytes": held.bytes,
        "forecasts": held.rows,
        "oldest": _date(held.oldest),
        "newest": _date(held.newest),
    }
    if json:
        models = [dict(zip(("name", "version", "fingerprint", "forecasts"), row, strict=True)) for row in held.models]
        output.document({"schema": "marketsim.cache/1", **facts, "models": models, "symbols": dict(held.symbols)})
        return
    output.lines(f"Forecast cache {facts.pop('path')}", "")
    output.table("Contents", ("Fact", "Value"), [(key, str(value)) for key, value in facts.items()], words=2)
    models_ = [(f"{name} {version}", fingerprint[:12], str(rows)) for name, version, fingerprint, rows in held.models]
    output.table("By model", ("Model", "Fingerprint", "Forecasts"), models_, words=2)
    output.table("By symbol", ("Symbol", "Forecasts"), [(symbol, str(rows)) for symbol, rows in held.symbols])


@app.command()
def clear(
    context: typer.Context,
    cache_dir: options.CacheDir = None,
    cache_url: options.CacheUrl = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Delete every forecast."""
    with _open(context, "readwrite") as cache:
        _deleted(cache, cache.clear(), json)


@app.command()
def prune(
    context: typer.Context,
    older_than: Annotated[
        float | None, typer.Option("--older-than", metavar="DAYS", min=0, help="Delete what is older.")
    ] = None,
    keep: Annotated[
        float | None, typer.Option("--keep", metavar="MIB", min=0, help="Then the oldest, down to this size.")
    ] = None,
    cache_dir: options.CacheDir = None,
    cache_url: options.CacheUrl = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Delete old forecasts."""
    if not all(math.isfinite(limit) for limit in (older_than or 0.0, keep or 0.0)):
        raise UsageError("--older-than and --keep must be finite numbers")
    if older_than is None and keep is None:
        raise UsageError("prune needs --older-than DAYS or --keep MIB")
    with _open(context, "readwrite") as cache:
        _deleted(cache, cache.prune(older_than, None if keep is None else round(keep * MIB)), json)


@app.command()
def verify(
    context: typer.Context,
    symbols: Annotated[list[str] | None, typer.Argument(metavar="[SYMBOL...]", help="All, if none.")] = None,
    model: options.Model = None,
    source: options.Source = None,
    data: options.Data = None,
    on_bad_bars: options.OnBadBars = None,
    cache_dir: options.CacheDir = None,
    cache_url: options.CacheUrl = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Make a sample of the cached forecasts again and compare; the exit code is 1 when one differs."""
    settings, _ = options.settings_of(context)

    from marketsim.data import open_source
    from marketsim.forecasting.cache import verify as compare
    from marketsim.forecasting.ensembles import Ensemble
    from marketsim.models import open_model

    bars = open_source(settings.source, settings.data, settings.on_bad_bars)
    forecaster = open_model(settings)
    if isinstance(forecaster, Ensemble):
        raise UsageError(f"--model {settings.model}: verify its members, whose forecasts are what is cached")
    rows: list[dict[str, Any]] = []
    with _open(context, "readonly") as cache:
        for symbol in symbols or bars.symbols():
            found = compare(cache, forecaster, bars.load(symbol))
            rows.append(
                {
                    "symbol": symbol,
                    "cached": found.cached,
                    "checked": found.checked,
                    "different": len(found.different),
                }
            )
        output.notes(cache.warnings)
    if json:
        output.document({"schema": "marketsim.cache.verify/1", "model": settings.model, "symbols": rows})
    else:
        cells = [[str(value) for value in row.values()] for row in rows]
        output.table(f"Cached forecasts of {settings.model}", ("Symbol", "Cached", "Checked", "Different"), cells)
    if different := sum(row["different"] for row in rows):
        raise MarketsimError(f"{different} cached forecasts differ; make them again with --cache refresh")


def _open(context: typer.Context, mode: str) -> "ForecastCache":
    settings, _ = options.settings_of(context)

    from marketsim.forecasting.cache import connect

    cache = connect(settings, mode)
    if cache.warnings and not cache.usable:
        raise MarketsimError(f"{cache.warnings[0].removesuffix('; going on without it')}; {cache.remedy}")
    return cache


def _deleted(cache: "ForecastCache", forecasts: int, json: bool) -> None:
    output.notes(cache.warnings)
    if json:
        output.document({"schema": "marketsim.cache/1", "path": cache.place, "deleted": forecasts})
    else:
        output.lines(f"{forecasts:,} forecasts deleted from {cache.place}")


def _date(stamp: int | None) -> str | None:
    from datetime import UTC, datetime

    return None if stamp is None else f"{datetime.fromtimestamp(stamp, UTC):%Y-%m-%d}"
