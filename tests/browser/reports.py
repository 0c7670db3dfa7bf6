"""Reports of small runs, and the documents that they were made from."""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from marketsim.cli import main
from marketsim.results.html.report_file import ReportFile
from tests.many_symbols import OPTIONS, write_universe

SHORT = ("--sims", "12", "--window", "12")
WALK = ("--sims", "25", "--window", "30", "--now", "2025-02-15")
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202e\u2028{{ 7 * 7 }}"
LONG = "x" * 300
MANY = 12


class Report(Struct, frozen=True):
    """A page, and the document that `--json` printed beside it."""

    file: Path
    document: dict[str, Any]

    def symbol(self, name: str) -> dict[str, Any]:
        """What the document says of a symbol."""
        (found,) = (each for each in self.document["symbols"] if each["symbol"] == name)
        return dict(found)


def run(folder: Path, *words: str) -> dict[str, Any]:
    """The document that a command prints."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        patched.setattr(sys, "argv", ["marketsim", *words, "--json", "--cache-dir", str(folder / "cache")])
        main()
    return dict(json.loads(printed.getvalue()))


def made(folder: Path, name: str, *words: str) -> Report:
    """The report of a backtest of these words."""
    file = folder / f"{name}.html"
    return Report(file, run(folder, "backtest", *words, "--report", str(file)))


def of_one(folder: Path) -> Report:
    """A stock that was traded on both sides, with bars in doubt."""
    return made(folder, "one", "NVDA", "--min-t", "0", *WALK)


def of_many(folder: Path) -> Report:
    """Cheap symbols, one that is not there and two whose names are hostile, from a folder of a hostile name."""
    place = folder / "bars <b id=bold> & \u202e'"
    names = write_universe(place, MANY)
    return made(folder, "many", *names, "NOSUCH", HOSTILE, LONG, "--data", str(place), *OPTIONS)


def of_saved(folder: Path) -> Report:
    """The page that `marketsim report` writes of a saved run."""
    directory = folder / "run"
    document = run(folder, "backtest", "NVDA", "--min-t", "0", *SHORT, "--output", str(directory))
    run(folder, "report", str(directory))
    return Report(directory / "report.html", document)


def of_models(folder: Path) -> Report:
    """The page of a comparison of models."""
    file = folder / "models.html"
    words = ("NVDA", "--models", "har,last-bar", *SHORT, "--report", str(file))
    return Report(file, run(folder, "compare-models", *words))


def of_unfinished(folder: Path) -> Report:
    """The page that `--live` leaves when one of two symbols is finished."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(ReportFile, "finish", lambda *words: None)
        return made(folder, "live", "NVDA", "AAPL", "--live", *SHORT)
