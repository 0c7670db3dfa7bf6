"""The README is true: its commands run, its output is what they print, its settings are all of them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from marketsim.data.bars import Bars
from marketsim.settings.settings import KEYS
from tests.candles import random_bars

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [line for kind, text in BLOCKS if kind == "bash" for line in text.splitlines()]


def run(command: str, place: Path) -> subprocess.CompletedProcess[str]:
    door, *arguments = shlex.split(command, comments=True)
    assert door == "./scripts/marketsim"
    environment = os.environ | {"COLUMNS": "80", "MARKETSIM_CACHE_DIR": str(place / "cache")}
    program = [sys.executable, "-m", "marketsim", *arguments]
    return subprocess.run(program, cwd=place, env=environment, capture_output=True, text=True, check=False)


def write_bars(bars: Bars, path: Path) -> None:
    rows = zip(bars.time.astype("datetime64[D]"), *bars.ohlcv.T.tolist(), strict=True)
    lines = ["date,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


def test_there_are_commands_for_the_main_job_and_for_the_tests() -> None:
    assert COMMANDS[:2] == ["./scripts/marketsim backtest ETHUSD --sims 70", "./scripts/test"]


@pytest.mark.parametrize("command", [line for line in COMMANDS if line.startswith("./scripts/marketsim")])
def test_every_command_runs(command: str, tmp_path: Path) -> None:
    (tmp_path / "my-bars").mkdir()
    write_bars(random_bars(300), tmp_path / "my-bars" / "AAPL.csv")
    done = run(command, tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_the_output_is_what_the_main_job_prints(tmp_path: Path) -> None:
    (shown,) = (text for kind, text in BLOCKS if kind == "text" and "Next-bar plan" in text)
    printed = "\n".join(line.rstrip() for line in run(COMMANDS[0], tmp_path).stdout.splitlines())
    assert shown.partition("\nTiming")[0] == printed.partition("\nTiming")[0]


def test_every_other_script_is_there() -> None:
    for door in re.findall(r"scripts/(\w[\w-]*)", README):
        assert os.access(ROOT / "scripts" / door, os.X_OK), door
    for name in re.findall(r"scripts/bench (\w+)", README):
        assert (ROOT / "scripts" / "benchmarks" / f"{name}.py").exists(), name


def test_python_examples_run() -> None:
    for kind, text in BLOCKS:
        if kind == "python":
            exec(text, {})


def test_every_setting_is_explained() -> None:
    table = README.partition("## Settings")[2].partition("## Architecture")[0]
    assert set(re.findall(r"`(\w+)`", table)) >= set(KEYS)
