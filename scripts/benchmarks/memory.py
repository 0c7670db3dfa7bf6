"""What a long walk needs beside a short one: 5,000 simulations in 150 MiB. Run: scripts/bench memory [SIMULATIONS]

Its walks are those of a process of their own, for memory that was used once is not always given back.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from marketsim.backtesting import parallel
from marketsim.errors import Success
from marketsim.profiling import Clock, peak_bytes
from marketsim.settings.settings import Settings

SIMULATIONS, SHORT, PAST = 5000, 70, 800  # of the long walk, of the short one, and bars before either
MOST = 150 << 20  # bytes that the long walk may add


def write_bars(directory: Path, count: int) -> None:
    """A random walk by the working day, eight steps a bar, as a share has it, so that both sides are traded."""
    rng = np.random.default_rng(1)
    path = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(count * 8))).reshape(count, 8)
    days = np.busday_offset(np.datetime64("2000-01-03"), np.arange(count))
    rows = zip(days, path[:, 0], path.max(1), path.min(1), path[:, -1], strict=True)
    lines = [f"{day},{a:.6f},{b:.6f},{c:.6f},{d:.6f}" for day, a, b, c, d in rows]
    (directory / "NOISE.csv").write_text("date,open,high,low,close\n" + "\n".join(lines) + "\n")


def walk(directory: str, simulations: int) -> None:
    chosen = Settings.of(data=directory, sims=simulations, cache="off")
    assert all(isinstance(done.outcome, Success) for done in parallel.stream(["NOISE"], chosen, Clock()))


def added(directory: str, simulations: int) -> None:
    """In a process of its own: the bytes that the long walk adds to the peak of a short one, and its seconds."""
    walk(directory, SHORT)
    before, start = peak_bytes(), time.perf_counter()
    walk(directory, simulations)
    print(peak_bytes() - before, time.perf_counter() - start)


def measured(simulations: int) -> tuple[int, float]:
    """What `added` prints."""
    with tempfile.TemporaryDirectory() as directory:
        write_bars(Path(directory), simulations + PAST)
        child = [sys.executable, __file__, directory, str(simulations)]
        more, seconds = subprocess.run(child, capture_output=True, text=True, check=True).stdout.split()
    return int(more), float(seconds)


def main() -> int:
    if len(sys.argv) > 2:
        added(sys.argv[1], int(sys.argv[2]))
        return 0
    simulations = int(sys.argv[1]) if len(sys.argv) > 1 else SIMULATIONS
    more, seconds = measured(simulations)
    print(f"{simulations:,} simulations: {more >> 20} MiB more than {SHORT}, {seconds:.1f} s")
    print("PASS" if more <= MOST else f"FAIL: {MOST >> 20} MiB were asked for")
    return int(more > MOST)


if __name__ == "__main__":
    sys.exit(main())
