"""The rows of a saved run's CSV files, by symbol."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from marketsim.errors import DataError
from marketsim.results.manifest import RunFiles
from marketsim.results.rows import Row
from marketsim.results.run_directory import EQUITY, SIMULATIONS
from marketsim.results.schema import EquityRow, SimulationRow, SymbolDocument

KINDS: dict[str, type[Row]] = {SIMULATIONS: SimulationRow, EQUITY: EquityRow}


def lines_by_symbol(files: RunFiles, name: str) -> dict[str, list[str]]:
    """The lines of a CSV file by symbol, each under the header; DataError for other columns than this version's."""
    path = files.directory / name
    try:
        text = files.read(name).decode()
    except UnicodeDecodeError as error:
        raise _other(path, str(error)) from None
    if not text:
        return {}  # all symbols failed
    header, *lines = text.splitlines()
    if header.split(",") != list(KINDS[name].__struct_fields__):
        raise _other(path, "other columns")
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(line.partition(",")[0], [header]).append(line)
    return found


def check_rows(directory: Path, document: SymbolDocument, simulations: Sequence[str], equity: Sequence[str]) -> None:
    """DataError unless the lines of both files are rows of the symbol: one for each strategy or baseline and bar."""
    bars = document.evaluated.bars
    strategies = {row.name: bars for row in document.rows if row.kind == "strategy"}
    for name, column, lines, expected in (
        (SIMULATIONS, "strategy", simulations, strategies),
        (EQUITY, "name", equity, {row.name: bars for row in document.rows}),
    ):
        try:
            found = Counter(getattr(_row(cells, KINDS[name]), column) for cells in csv.DictReader(lines))
        except (ValueError, csv.Error) as error:
            raise _other(directory / name, f"{document.symbol}: {error}") from None
        if found != expected:
            raise _other(directory / name, f"other rows of {document.symbol} than in the results")


def _row(cells: Mapping[str, str], kind: type[Row]) -> Row:
    """A row from its cells, of which an empty one is None."""
    return msgspec.convert({name: cell or None for name, cell in cells.items()}, kind, strict=False)


def _other(path: Path, why: str) -> DataError:
    return DataError(f"{path}: not as this version writes it: {why}")
