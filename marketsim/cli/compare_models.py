"""`marketsim compare-models`."""

from typing import TYPE_CHECKING

import typer

from marketsim.cli import options, output, several_models, tables
from marketsim.errors import AuditError
from marketsim.results.sentences import reality_check

if TYPE_CHECKING:
    from collections.abc import Iterator

    from marketsim.comparison.schema import Channels, ComparedSymbol, FailedModel, ModelRow, YardstickRow


@options.takes(*options.all_but(options.MODEL, options.GIVEN, options.WORK))
def compare_models(
    command: typer.Context,
    symbols: options.Symbols,
    models: several_models.Models = several_models.DEFAULT,
    forecasts: several_models.Files = None,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Compare models on the same bars: forecasts and profit.

    Shows the error of the forecasts, the profit of trading on them, alpha against baselines, and speed.
    """
    files = several_models.files_of(forecasts)
    settings = options.settings_of(command, **({"forecasts": files[0]} if files else {}))
    files = files or [file for file in (settings.given.forecasts,) if file is not None]
    names = several_models.names_of(models)

    from marketsim.comparison.models import compare
    from marketsim.comparison.schema import FailedModel
    from marketsim.data.symbols import once_each
    from marketsim.models import open_forecasts

    symbols, repeated = once_each(symbols)
    output.notes(repeated)
    own = {file: open_forecasts(file, settings) for file in files}
    with output.progress() as progress:
        document, notes = compare(symbols, [*own, *names], settings, progress, own=own)
    output.notes(notes)
    rows = [row for symbol in document.symbols for row in symbol.models]
    failed = [row for row in rows if isinstance(row, FailedModel)]
    if json:
        output.document(document)
    elif len(failed) < len(rows):
        for symbol in document.symbols:
            _show(symbol, document.fill, files)
        if document.reality_check is not None:
            output.lines(reality_check(document.reality_check), "")
    if len(failed) == len(rows):
        output.fail(failed[0].error)
        return failed[0].exit_code
    caught = any(row.exit_code == AuditError.exit_code for row in failed)
    return AuditError.exit_code if caught else 4 if failed else 0


def _show(symbol: "ComparedSymbol", fill: str, files: list[str]) -> None:
    from marketsim.comparison.schema import ModelRow

    good = [row for row in symbol.models if isinstance(row, ModelRow)]
    bars = symbol.bars
    if bars is not None:
        output.lines(
            f"{symbol.symbol}  {bars.source}",
            f"Forecasts scored on {bars.judged} bars from {bars.first} to {bars.last}, profit on the newest "
            f"{bars.evaluated}, by {fill} fills.",
            "",
        )
        _forecasts(good, files)
        _profits(symbol.yardsticks, good)
        _alphas(good)
    output.paragraph(*(remark for row in symbol.models for remark in _remarks(row)))


def _remarks(row: "ModelRow | FailedModel") -> "Iterator[str]":
    """Why a model failed, or what else a reader of its row must know."""
    from marketsim.comparison.schema import FailedModel

    if isinstance(row, FailedModel):
        yield f"{row.model}: {row.error}"
        return
    if row.look_ahead:
        yield f"{row.model}: {output.LOOK_AHEAD}: {row.look_ahead}"
    if row.exposure.contaminated or row.exposure.unknown:
        yield f"{row.model}: {row.training}; evaluated bars: {tables.exposed(row.exposure)}"


def _forecasts(rows: "list[ModelRow]", files: list[str]) -> None:
    best = [min(loss) for loss in zip(*(_channels(row.pinball_bps) for row in rows), strict=True)]
    losses, bands = [], []
    for row in rows:
        cells = [
            f"{x:.1f}{'*' if x == least else ' '}" for x, least in zip(_channels(row.pinball_bps), best, strict=True)
        ]
        pace = row.seconds_a_forecast
        known = "read" if row.model in files else "cached"
        told = "-" if row.against_har is None else tables.skill(row.against_har)
        losses.append((_name(row), *cells, told, known if pace is None else f"{1e3 * pace:,.2f}"))
        inside = (tables.percent(share) for share in _channels(row.coverage))
        bands.append((_name(row), *inside, tables.percent(row.close_direction)))
    heads = ("High", "Low", "Close")
    output.table(
        "Pinball loss in bps (* best), and speed", ("Model", *heads, "Against\nhar", "Milliseconds\na forecast"), losses
    )
    output.table(
        "Bars inside the 80 % band, and closes in the direction\nthat was forecast, %",
        ("Model", *heads, "Direction"),
        bands,
    )


def _name(row: "ModelRow") -> str:
    """The model, and whether it was caught."""
    return f"{row.model}\n{output.LOOK_AHEAD}" if row.look_ahead else row.model


def _channels(figures: "Channels") -> tuple[float, float, float]:
    """What is shown; the open is not traded."""
    return figures.high, figures.low, figures.close


def _profits(yardsticks: "list[YardstickRow]", rows: "list[ModelRow]") -> None:
    cells = [
        (_name(row), each.strategy, str(each.trades), *tables.mean(each)) for row in rows for each in row.strategies
    ]
    cells += [(each.name, "yardstick", "-", *tables.mean(each)) for each in yardsticks]
    headers = ("Model", "Strategy", "Trades", "Mean\nbps/bar", "95 % interval", "Smallest\nedge", "Bars for\n10 bps")
    output.table("Profit, and that of the yardsticks, which are never fitted", headers, cells, words=2)


def _alphas(rows: "list[ModelRow]") -> None:
    cells = [
        (_name(row), each.strategy, alpha.yardstick, *tables.mean(alpha))
        for row in rows
        for each in row.strategies
        for alpha in each.alphas
    ]
    headers = ("Model", "Strategy", "Yardstick", "Mean\nbps/bar", "95 % interval", "Smallest\nedge", "Bars for\n10 bps")
    output.table("Alpha: profit beyond a yardstick's, bar by bar", headers, cells, words=3)
