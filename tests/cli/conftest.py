"""The command line in this process."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from marketsim.cli import main, progress


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch, capsys):
    """`cli("backtest", "ETHUSD")` runs `marketsim backtest ETHUSD`."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(progress, "LOG_PATIENCE", 1e6)  # on a machine that is busy, a test may take long
        monkeypatch.setattr(sys, "argv", ["marketsim", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code or 0, *capsys.readouterr())

    return run
