"""Whole processes, from the shell's prompt to the last line, each against its rival in turn. Run: scripts/bench startup

Processor time of interleaved runs, so that other work on the machine counts little: the ratio of the medians, and that
of the least.
"""

from __future__ import annotations

import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MAIN_JOB = [str(ROOT / "scripts" / "marketsim"), "backtest", "ETHUSD", "--sims", "70"]
RUNS = 21


def seconds(command: list[str], cache: Path, fresh: bool) -> float:
    if fresh:
        shutil.rmtree(cache, ignore_errors=True)
    environment = os.environ | {"MARKETSIM_CACHE_DIR": str(cache)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env=environment, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(
    name: str, command: list[str], rival: list[str], allowed: float, fresh: bool, directory: Path, what: str
) -> bool:
    """Print one row; whether the ratio of medians, or of minima, is within what is allowed."""
    caches = directory / "a", directory / "b"
    seconds(command, caches[0], fresh), seconds(rival, caches[1], False)
    pairs = [(seconds(command, caches[0], fresh), seconds(rival, caches[1], False)) for _ in range(RUNS)]
    mine, theirs = zip(*pairs, strict=True)
    medians = statistics.median(mine) / statistics.median(theirs)
    minima = min(mine) / min(theirs)
    print(f"{name:<34} {what:<38} {medians:>7.2f} {minima:>7.2f} {allowed:>8.2f}")
    return bool(min(medians, minima) <= allowed)


def main() -> int:
    python = sys.executable
    imports = [python, "-c", "import numpy, typer, rich.table"]
    print(f"{'command':<34} {'rival':<38} {'median':>7} {'minimum':>7} {'allowed':>8}")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        held = [
            compare("backtest ETHUSD, cached", MAIN_JOB, imports, 1.5, False, place, "import numpy, typer, rich.table"),
            compare("backtest ETHUSD, empty cache", MAIN_JOB, MAIN_JOB, 1.3, True, place, "the same, cached"),
            compare(
                "--help", [MAIN_JOB[0], "--help"], [python, "-c", "import typer"], 1.15, False, place, "import typer"
            ),
        ]
    print("PASS" if all(held) else "FAIL: a ratio is above what is allowed")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
