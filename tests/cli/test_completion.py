"""Completion, typed into real shells: the line that stands at the prompt after Tab."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SHELLS = {
    "bash": ["--norc", "--noprofile", "-i"],
    "zsh": ["-f", "-i"],
    "fish": ["--no-config", "-i"],
}
PATIENCE = 60  # seconds
LINES = {
    "compare-opt": "compare-optimizers",
    "backtest ETHUSD --fill=t": "backtest ETHUSD --fill=touch",
    "backtest --model chronos:bolt-b": "backtest --model chronos:bolt-base",
    "backtest --model blend:har,rolling": "backtest --model blend:har,rolling-quantile",
    "compare-models ETHUSD --models har,last": "compare-models ETHUSD --models har,last-bar",
    "backtest NV": "backtest NVDA",
    "backtest --timeframe 1m A": "backtest --timeframe 1m AAPL",
    "fills AMZN --at 2018-04-3": "fills AMZN --at 2018-04-30",
}


FEW = 3  # lines for the shells beside bash: what is asked of the program is the same for all


@pytest.fixture(params=SHELLS)
def shell(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    program = tmp_path / "bin" / "marketsim"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m marketsim "$@"\n')
    program.chmod(0o755)
    return request.param, program.parent


def test_lines_are_completed(shell: tuple[str, Path], tmp_path: Path) -> None:
    name, programs = shell
    typed = list(LINES) if name == "bash" else list(LINES)[:FEW]
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("MARKETSIM", "_TYPER"))}
    environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb", "HOME": str(tmp_path), "PS1": "> "}
    asked = environment | {"_MARKETSIM_COMPLETE": f"source_{name}"}
    script = subprocess.run("marketsim", env=asked, capture_output=True, text=True, check=True).stdout
    (tmp_path / "completion").write_text(script)
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [shutil.which(name) or name, *SHELLS[name]],
        stdin=follower,
        stdout=follower,
        stderr=follower,
        env=environment,
        cwd=tmp_path,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )
    os.close(follower)
    try:
        if name == "zsh":
            os.write(leader, b"autoload -U compinit; compinit -u; bindkey -e\n")
        os.write(leader, f". {tmp_path / 'completion'}\n".encode())
        shown = ""
        for i, line in enumerate(typed):
            os.write(leader, f"marketsim {line}\t".encode())
            # what stands at the prompt then becomes the argument of a command that prints it
            os.write(leader, f"'\x01echo 'line {i}: \x05\n".encode())
            shown += read_until(leader, f"line {i}: ")  # a terminal that nobody reads stops the shell
    finally:
        process.kill()
        process.wait()
        os.close(leader)

    found = dict(re.findall(r"^line (\d+): marketsim (.*?)\s*$", shown.replace("\r", "\n"), re.MULTILINE))
    assert list(found.values()) == [LINES[line] for line in typed]


def read_until(leader: int, last: str) -> str:
    """What the shell shows until the last line is printed, not only typed."""
    shown, end = "", time.monotonic() + PATIENCE
    while not re.search(rf"^{last}marketsim [^\r\n]*\r?\n", shown.replace("\r", "\n"), re.MULTILINE):
        assert time.monotonic() < end, shown
        if select.select([leader], [], [], 1)[0]:
            try:
                shown += os.read(leader, 65536).decode(errors="replace")
            except OSError:
                raise AssertionError(f"the shell ended: {shown}") from None
    return shown
