"""Saved runs: their contents, and the first difference between two of them."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from marketsim.errors import DataError, UsageError
from marketsim.results.document import changed, deciding
from marketsim.results.manifest import NAME, RunFiles
from marketsim.results.output_directory import WORKSPACE
from marketsim.results.rows import Row, Setting
from marketsim.results.run_directory import RESULTS, SIMULATIONS
from marketsim.results.saved_rows import lines_by_symbol
from marketsim.results.schema import BacktestDocument, FailedSymbol, SymbolDocument
from marketsim.settings.resolution import check
from marketsim.settings.settings import KEYS, Settings


class SavedRun(Struct, frozen=True):
    """An output directory, and its results."""

    files: RunFiles
    document: BacktestDocument

    @property
    def directory(self) -> Path:
        """Where it is."""
        return self.files.directory

    @property
    def settings(self) -> dict[str, Setting]:
        """The settings that the results rest on."""
        return self.document.settings

    @property
    def changed(self) -> dict[str, Setting]:
        """The settings that are not at their default."""
        return changed(self.settings)

    @property
    def versions(self) -> dict[str, str]:
        """Of marketsim first, then of the libraries, several where machines differed; and the digest of the code."""
        found: dict[str, dict[str, None]] = {"marketsim": {self.document.marketsim: None}}
        for symbol in self.results.values():
            for name, version in symbol.libraries.items():
                found.setdefault(name, {})[version] = None
        code = {"code": self.files.manifest.code}
        return {name: " and ".join(versions) for name, versions in found.items()} | code

    @property
    def finished(self) -> datetime:
        """When it was over, in UTC: its manifest is written last. A copied directory may have the date of the copy."""
        return datetime.fromtimestamp((self.directory / NAME).stat().st_mtime, UTC)

    @property
    def models(self) -> list[tuple[str, str]]:
        """The names and versions of the models, once each."""
        return list(dict.fromkeys((result.model.name, result.model.version) for result in self.results.values()))

    @property
    def last_bar(self) -> str | None:
        """The newest bar of all symbols; None where all failed."""
        return max((result.bars.last for result in self.results.values()), default=None)

    @property
    def results(self) -> dict[str, SymbolDocument]:
        """By symbol, without those that failed."""
        return {symbol.symbol: symbol for symbol in self.document.symbols if isinstance(symbol, SymbolDocument)}

    @property
    def statuses(self) -> dict[str, str]:
        """By symbol, in the order of the run: ok, or why it failed."""
        return {
            symbol.symbol: symbol.error if isinstance(symbol, FailedSymbol) else "ok"
            for symbol in self.document.symbols
        }

    @property
    def headlines(self) -> dict[str, dict[str, float]]:
        """By strategy and symbol: out-of-sample profit, a fraction of the stake."""
        found: dict[str, dict[str, float]] = {}
        for name, symbol in self.results.items():
            for row in symbol.rows:
                if row.kind == "strategy":
                    found.setdefault(row.name, {})[name] = row.headline
        return found


class Difference(Row, frozen=True):
    """One thing in which two runs differ; None where a run does not have it."""

    what: str  # setting, version, symbol, bars, model or simulation
    where: str
    left: Setting
    right: Setting


def find(directory: Path) -> list[Path]:
    """The directories of runs in and below `directory`, sorted; DataError where there are none."""
    found = []
    for place, below, names in os.walk(directory):
        below[:] = [name for name in below if name != WORKSPACE]
        if RESULTS in names:
            found.append(Path(place))
    if not found:
        raise DataError(f"{directory}: no {RESULTS} here or below; `marketsim backtest --output DIR` writes one")
    return sorted(found)


def read(directory: Path) -> SavedRun:
    """The run in `directory`; DataError if there is none, or one that is damaged or of another version."""
    files = RunFiles.of(directory)
    try:
        document = msgspec.json.decode(files.read(RESULTS), type=BacktestDocument)
    except msgspec.DecodeError as error:
        raise DataError(f"{directory / RESULTS}: not results as this version writes them: {error}") from None
    for why in _faults(document):
        raise DataError(f"{directory / RESULTS}: not results as this version writes them: {why}")
    return SavedRun(files, document)


def _faults(document: BacktestDocument) -> Iterator[str]:
    """What no run of this version writes: fewer settings, or parts of a symbol that do not belong together."""
    usual = deciding(Settings())
    if missing := usual.keys() - document.settings.keys():
        yield f"setting {min(missing)}: it is missing"
    for key, value in document.settings.items():
        if key in KEYS and (value is not None or usual[key] is not None):
            try:
                check(key, value, f"setting {key}")
            except UsageError as error:
                yield str(error)
    for symbol in document.symbols:
        if isinstance(symbol, SymbolDocument) and (why := symbol.contradiction()) is not None:
            yield f"{symbol.symbol}: {why}"


def differences(left: SavedRun, right: SavedRun) -> Iterator[Difference]:
    """What differs, causes before effects: settings, versions, symbols, then bars, models, simulations by symbol.

    Of each symbol's simulations only the first that differs, and of that the first value.
    """
    yield from unequal("setting", left.settings, right.settings)
    yield from unequal("version", left.versions, right.versions)
    yield from unequal("symbol", left.statuses, right.statuses)
    results = (left.results, right.results)
    both = [name for name in results[0] if name in results[1]]
    yield from unequal("bars", *({name: found[name].bars.fingerprint for name in both} for found in results))
    yield from unequal("model", *({name: found[name].model.fingerprint for name in both} for found in results))
    tables = [lines_by_symbol(run.files, SIMULATIONS) for run in (left, right)]  # as text: most lines are equal
    for name in both:
        if tables[0].get(name) != tables[1].get(name):
            yield from _simulation(name, *(_keyed(table.get(name, ())) for table in tables))


def unequal(what: str, left: Mapping[str, Setting], right: Mapping[str, Setting]) -> Iterator[Difference]:
    """The differences of two mappings, by key; None stands for a missing value."""
    for key in dict.fromkeys((*left, *right)):
        if left.get(key) != right.get(key):
            yield Difference(what=what, where=key, left=left.get(key), right=right.get(key))


def _keyed(lines: Sequence[str]) -> dict[tuple[str, str], dict[str, str]]:
    """Rows by strategy and evaluated bar: another last bar shifts the numbers of all simulations."""
    return {(row["strategy"], row["evaluated"]): row for row in csv.DictReader(lines)}


def _simulation(
    symbol: str,
    left: Mapping[tuple[str, str], Mapping[str, str]],
    right: Mapping[tuple[str, str], Mapping[str, str]],
) -> Iterator[Difference]:
    """The first row that differs, if one does."""
    for key in dict.fromkeys((*left, *right)):
        where = " ".join((symbol, *key))
        before, after = left.get(key), right.get(key)
        if before is None or after is None:
            words = {True: "absent", False: "present"}
            yield Difference(what="simulation", where=where, left=words[before is None], right=words[after is None])
            return
        for column in dict.fromkeys((*before, *after)):
            if column != "simulation" and before.get(column) != after.get(column):
                yield Difference(
                    what="simulation", where=f"{where} {column}", left=before.get(column), right=after.get(column)
                )
                return
