"""Runs that are over: what an output directory says was run, and where two of them part."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from marketsim.errors import DataError
from marketsim.results.document import RESULTS_SCHEMA
from marketsim.settings.settings import Settings

RESULTS = "results.json"
SIMULATIONS = "simulations.csv"

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Run:
    """An output directory, its `report.document`, and what of that is compared."""

    directory: Path
    document: Row
    settings: Row
    versions: dict[str, str]  # of marketsim first, then of the libraries
    statuses: dict[str, str]  # by symbol, in the order of the run: ok, or why it failed
    fingerprints: dict[str, dict[str, str]]  # of bars and model, by symbol
    headlines: dict[str, dict[str, float]]  # by strategy and symbol: out-of-sample profit, a fraction of the stake

    @property
    def changed(self) -> Row:
        """The settings that are not at their default."""
        defaults = json.loads(json.dumps(Settings().values()))
        derived = "simulations"
        return {key: value for key, value in self.settings.items() if key != derived and value != defaults.get(key)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing in which two runs differ; None where a run does not have it."""

    what: str  # setting, version, symbol, bars, model or simulation
    where: str
    left: Any
    right: Any


def find(directory: Path) -> list[Path]:
    """The directories of runs in and below `directory`, sorted; DataError where there are none."""
    found = sorted(Path(place) for place, _, names in os.walk(directory) if RESULTS in names)
    if not found:
        raise DataError(f"{directory}: no {RESULTS} here or below; `marketsim backtest --output DIR` writes one")
    return found


def read(directory: Path) -> Run:
    """The run in `directory`; DataError where there is none, or one that this version cannot read."""
    path = directory / RESULTS
    try:
        document = json.loads(_text(path), parse_constant=_not_json)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not a JSON document: {error}") from None
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != RESULTS_SCHEMA:
        raise DataError(f"{path}: schema {json.dumps(schema)}, not {RESULTS_SCHEMA}")
    with as_written(directory):
        symbols = {str(symbol["symbol"]): symbol for symbol in document["symbols"]}
        good = {name: symbol for name, symbol in symbols.items() if symbol["status"] == "ok"}
        versions = {"marketsim": document["marketsim"], **document["libraries"]}
        headlines: dict[str, dict[str, float]] = {}
        for name, symbol in good.items():
            for row in symbol["rows"]:
                if row["kind"] == "strategy":
                    headlines.setdefault(str(row["name"]), {})[name] = float(row["headline"])
        return Run(
            directory,
            document,
            dict(document["settings"]),
            {name: str(version) for name, version in versions.items()},
            {name: "ok" if name in good else str(symbol["error"]) for name, symbol in symbols.items()},
            {part: {name: symbol[part]["fingerprint"] for name, symbol in good.items()} for part in ("bars", "model")},
            headlines,
        )


@contextmanager
def as_written(directory: Path) -> Iterator[None]:
    """DataError where, inside, the results in `directory` turn out not to be as this version writes them."""
    try:
        yield
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DataError(
            f"{directory / RESULTS}: not as marketsim writes it ({type(error).__name__}: {error})"
        ) from error


def differences(left: Run, right: Run) -> Iterator[Difference]:
    """What differs, causes before effects: settings, versions, symbols, then bars, models, simulations by symbol.

    Of each symbol's simulations only the first that differs, and of that the first value.
    """
    yield from _values("setting", left.settings, right.settings)
    yield from _values("version", left.versions, right.versions)
    yield from _values("symbol", left.statuses, right.statuses)
    both = [name for name, status in left.statuses.items() if status == right.statuses.get(name) == "ok"]
    for part in ("bars", "model"):
        yield from _values(part, *({name: run.fingerprints[part][name] for name in both} for run in (left, right)))
    tables = [_simulations(run.directory / SIMULATIONS) for run in (left, right)]
    for name in both:
        if tables[0].get(name) != tables[1].get(name):
            yield from _simulation(name, *(_keyed(table.get(name, ())) for table in tables))


def _values(what: str, left: Mapping[str, Any], right: Mapping[str, Any]) -> Iterator[Difference]:
    for key in dict.fromkeys((*left, *right)):
        if left.get(key) != right.get(key):
            yield Difference(what, key, left.get(key), right.get(key))


def _simulations(path: Path) -> dict[str, list[str]]:
    """The lines of each symbol, each under the header; as text, for most of them are equal."""
    header, _, rest = _text(path).partition("\n")
    if header and (header.split(",")[:2] != ["symbol", "strategy"] or "evaluated" not in header.split(",")):
        raise DataError(f"{path}: not a table of simulations, its header is {header[:60]!r}")
    found: dict[str, list[str]] = {}
    for line in rest.splitlines():
        found.setdefault(line.partition(",")[0], [header]).append(line)
    return found


def _keyed(lines: Sequence[str]) -> dict[tuple[str, str], Row]:
    """Rows by strategy and evaluated bar: another last bar shifts the numbers of all simulations."""
    return {(row["strategy"], row["evaluated"]): row for row in csv.DictReader(lines)}


def _simulation(
    symbol: str, left: Mapping[tuple[str, str], Row], right: Mapping[tuple[str, str], Row]
) -> Iterator[Difference]:
    """The first row that differs, if one does."""
    for key in dict.fromkeys((*left, *right)):
        where = " ".join((symbol, *key))
        rows = left.get(key), right.get(key)
        if rows[0] is None or rows[1] is None:
            yield Difference("simulation", where, *("absent" if row is None else "present" for row in rows))
            return
        for column in dict.fromkeys((*rows[0], *rows[1])):
            if column != "simulation" and rows[0].get(column) != rows[1].get(column):
                yield Difference("simulation", f"{where} {column}", rows[0].get(column), rows[1].get(column))
                return


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except UnicodeDecodeError:
        raise DataError(f"{path}: not a text file in UTF-8") from None


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")
