"""A command of marketsim in this process: what it prints and how it ends, without the start-up of a process."""

from __future__ import annotations

import sys
from contextlib import redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from typing import NamedTuple

import pytest

from marketsim.cli import main, progress


class Ended(NamedTuple):
    """The exit code of a command, and what it printed."""

    code: int
    out: str
    err: str


def run(*arguments: str) -> Ended:
    """`run("backtest", "ETHUSD")` is `marketsim backtest ETHUSD`."""
    out, err = (TextIOWrapper(BytesIO(), encoding="utf-8", newline="\n") for _ in range(2))
    with pytest.MonkeyPatch.context() as patched, redirect_stdout(out), redirect_stderr(err):
        patched.setattr(progress, "LOG_PATIENCE", 1e6)  # on a machine that is busy, a test may take long
        patched.setattr(sys, "argv", ["marketsim", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
    return Ended(int(ended.value.code or 0), *(_text(stream) for stream in (out, err)))


def _text(stream: TextIOWrapper) -> str:
    stream.flush()
    return bytes(stream.buffer.getvalue()).decode()
