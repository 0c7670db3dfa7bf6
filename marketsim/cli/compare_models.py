"""`marketsim compare-models`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output, several_models, tables
from marketsim.cli.output_files import check_file
from marketsim.errors import AuditError, UsageError
from marketsim.results.sentences import reality_check

if TYPE_CHECKING:
    from marketsim.comparison.schema import ComparedSymbol
    from marketsim.settings.settings import Settings


@options.takes(*options.all_but(options.MODEL, options.GIVEN, options.WORK))
def compare_models(
    command: typer.Context,
    symbols: options.Symbols,
    models: several_models.Models = several_models.DEFAULT,
    forecasts: several_models.Files = None,
    config: options.Config = None,
    report: Annotated[
        str | None,
        typer.Option("--report", metavar="FILE", help="Write the comparison as an HTML report, in one file."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace FILE.")] = False,
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

    if overwrite and report is None:
        raise UsageError("--overwrite needs --report FILE, the file to replace")
    if report is not None:
        check_file("--report", report, (".html", ".htm"), overwrite)

        from marketsim.results.html.page import environment

        environment()

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
    if report is not None and len(failed) < len(rows):
        from marketsim.comparison import models_report
        from marketsim.results.html.report_file import write

        command_line = _command(symbols, [*names], files, settings)
        write(Path(report), models_report.report(document, files, command_line))
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
    from marketsim.comparison import model_tables

    if scope := model_tables.scope(symbol, fill):
        output.lines(*scope, "")
    for table in model_tables.tables_of(symbol, files):
        tables.show(table)
    output.paragraph(*(remark for row in symbol.models for remark in model_tables.remarks(row)))


def _command(symbols: list[str], models: list[str], files: list[str], settings: "Settings") -> str:
    """The command that makes the page again."""
    from marketsim.results.html.command import command_line

    own = [word for file in files for word in ("--forecasts", file)]
    words = ["compare-models", *symbols, "--models", ",".join(models), *own]
    return command_line(words, settings, without=("model", "forecasts"))
