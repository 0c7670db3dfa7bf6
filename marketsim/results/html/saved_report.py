"""The page of a saved run, from its files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from msgspec import json
from msgspec.structs import replace

from marketsim.errors import DataError, Failure, Outcome, Success
from marketsim.results.html.command import command_of, last_bar
from marketsim.results.html.page import ReportRun, ReportSymbol, page
from marketsim.results.html.report_file import write
from marketsim.results.run_directory import EQUITY, SIMULATIONS, TIMING
from marketsim.results.saved_rows import check_rows, lines_by_symbol
from marketsim.results.saved_runs import SavedRun
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.results.timing import TimingDocument
from marketsim.settings.settings import Settings


def settings_of(run: SavedRun) -> Settings:
    """The settings of a run; those that only made it sooner are at their defaults."""
    given = {key: value for key, value in run.settings.items() if key != "simulations"}
    return Settings.of(**{key: tuple(value) if isinstance(value, list) else value for key, value in given.items()})


def saved_symbols(run: SavedRun, charts: Callable[[SymbolDocument], Outcome[str]]) -> list[ReportSymbol]:
    """What the page of a run shows of its symbols. `charts` makes a symbol's pictures."""
    simulations, equity = (lines_by_symbol(run.files, name) for name in (SIMULATIONS, EQUITY))
    symbols: list[ReportSymbol] = []
    for document in run.document.symbols:
        if isinstance(document, FailedSymbol):
            symbols.append(ReportSymbol(document))
            continue
        lines = simulations.get(document.symbol, []), equity.get(document.symbol, [])
        check_rows(run.directory, document, *lines)
        rows = "\n".join(lines[0]), "\n".join(lines[1])
        match charts(document):
            case Success(text):
                symbols.append(ReportSymbol(document, *rows, text))
            case Failure(error):
                why = f"no pictures of its objective, forecast and fills: {error}"
                symbols.append(ReportSymbol(document, *rows, missing=why))
    return symbols


def write_saved(path: Path, run: SavedRun, settings: Settings, symbols: Sequence[ReportSymbol]) -> None:
    """Write the page of a run."""
    documents = [symbol.document for symbol in symbols]
    command = command_of([document.symbol for document in documents], settings, last_bar(documents))
    head, code = replace(run.document, symbols=[]), run.files.manifest.code
    write(path, page(ReportRun(head, command, code, _timing(run)), lambda: iter(symbols)))


def _timing(run: SavedRun) -> TimingDocument:
    try:
        return json.decode(run.files.read(TIMING), type=TimingDocument)
    except msgspec.DecodeError as error:
        raise DataError(f"{run.directory / TIMING}: not as this version writes it: {error}") from None
