"""The command line in this process."""

from __future__ import annotations

import sys
from typing import NamedTuple

import pytest

from marketsim.cli import main


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(monkeypatch, capsys):
    """`cli("backtest", "ETHUSD")` runs `marketsim backtest ETHUSD`."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(sys, "argv", ["marketsim", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code or 0, *capsys.readouterr())

    return run
