"""Runs that were saved, to be listed, compared and damaged."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from marketsim.backtesting import parallel
from marketsim.profiling import Clock
from marketsim.results import manifest
from marketsim.results.run_directory import FILES, RunDirectory
from marketsim.results.timing import timing_document
from marketsim.settings.settings import Settings

BASE = Settings.of(sims=3, window=10, cache="off")


def write(directory: Path, symbols: list[str], **changes: Any) -> None:
    settings, clock = BASE.replace(**changes), Clock()
    with RunDirectory(str(directory), settings) as run_directory:
        for finished in parallel.stream(symbols, settings, clock, run_directory):
            run_directory.add(finished)
        run_directory.finish(timing_document(clock))


def seal_again(directory: Path) -> None:
    """As another machine would have written what is there now."""
    manifest.write(directory, manifest.of_files(directory, FILES, "backtest"))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("runs")
    write(place / "base", ["ETHUSD", "NVDA"])
    write(place / "deep" / "touch", ["ETHUSD", "NVDA", "ABSENT"], fill="touch")
    write(place / "earlier", ["NVDA", "ETHUSD"], end="2020-12-07")
    return place


@pytest.fixture
def changed(written: Path, tmp_path: Path) -> Callable[..., str]:
    """A copy of the run `base` whose results or simulations were edited."""

    def copy(edit: Callable[[Any], None], file: str = "results.json") -> str:
        path = shutil.copytree(written / "base", tmp_path / "copy", dirs_exist_ok=True) / file
        if file == "results.json":
            document = json.loads(path.read_text())
            edit(document)
            path.write_text(json.dumps(document))
        else:
            with path.open(newline="") as table:
                rows = list(csv.DictReader(table))
            edit(rows)
            with path.open("w", newline="") as table:
                writer = csv.DictWriter(table, rows[0], lineterminator="\n")
                writer.writeheader()
                writer.writerows(rows)
        seal_again(tmp_path / "copy")
        return str(tmp_path / "copy")

    return copy
