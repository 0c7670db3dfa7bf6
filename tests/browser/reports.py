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
from tests.many_symbols import OPTIONS, write_universe

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


def made(folder: Path, name: str, *words: str) -> Report:
    """The report of a backtest of these words."""
    file = folder / f"{name}.html"
    arguments = ["marketsim", "backtest", *words, "--report", str(file), "--json", "--cache-dir", str(folder / "cache")]
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patched, contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        patched.setattr(sys, "argv", arguments)
        main()
    return Report(file, json.loads(printed.getvalue()))


def of_one(folder: Path) -> Report:
    """A stock that was traded on both sides, with bars in doubt."""
    return made(folder, "one", "NVDA", "--min-t", "0", *WALK)


def of_many(folder: Path) -> Report:
    """Cheap symbols, one that is not there and two whose names are hostile, from a folder of a hostile name."""
    place = folder / "bars <b id=bold> & \u202e'"
    names = write_universe(place, MANY)
    return made(folder, "many", *names, "NOSUCH", HOSTILE, LONG, "--data", str(place), *OPTIONS)
