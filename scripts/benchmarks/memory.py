"""What a long walk needs beside a short one: 5,000 simulations in 150 MiB, 100,000 of one-minute bars in 500 MiB.

Run: scripts/bench memory

Walks are those of processes of their own, for memory that was used once is not always given back.
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

SHORT, PAST = 70, 800  # simulations of a short walk, and bars before any
SHARE, MOST = 5_000, 150 << 20  # simulations on bars of a share, and the bytes that they may add to a short walk
FEWER, MINUTES, MOST_OF_MINUTES = 10_000, 100_000, 500 << 20  # the same of one-minute bars, beside fewer of them
LINEAR = 1.25  # processor time a simulation of the longer walk, of that of the shorter one, at most


def write_bars(directory: Path, count: int, minutes: bool) -> None:
    """A random walk, eight steps a bar, by the working day as a share has it, or by the minute; both sides trade."""
    rng = np.random.default_rng(1)
    path = 100 * np.exp(np.cumsum((2e-4 if minutes else 0.01) * rng.standard_normal(count * 8))).reshape(count, 8)
    times: np.ndarray = np.datetime64("2024-01-01T00:00") + np.arange(count)
    if not minutes:
        times = np.busday_offset(np.datetime64("2000-01-03"), np.arange(count))
    rows = zip(times, path[:, 0], path.max(1), path.min(1), path[:, -1], strict=True)
    lines = [f"{at}{'Z' if minutes else ''},{a:.6f},{b:.6f},{c:.6f},{d:.6f}" for at, a, b, c, d in rows]
    (directory / "NOISE.csv").write_text("date,open,high,low,close\n" + "\n".join(lines) + "\n")


def walk(directory: str, simulations: int) -> None:
    # a share: two weeks of bars around the clock would be taken as a coin's, which has other costs and one leg
    chosen = Settings.of(data=directory, sims=simulations, cache="off", asset="stock")
    assert all(isinstance(done.outcome, Success) for done in parallel.stream(["NOISE"], chosen, Clock()))


def added(directory: str, simulations: int) -> None:
    """In a process of its own: the bytes that the long walk adds to the peak of a short one, and processor seconds."""
    walk(directory, SHORT)
    before, start = peak_bytes(), time.process_time()
    walk(directory, simulations)
    print(peak_bytes() - before, time.process_time() - start)


def measured(simulations: int, minutes: bool) -> tuple[int, float]:
    """What `added` prints."""
    with tempfile.TemporaryDirectory() as directory:
        write_bars(Path(directory), simulations + PAST, minutes)
        child = [sys.executable, __file__, directory, str(simulations)]
        more, seconds = subprocess.run(child, capture_output=True, text=True, check=True).stdout.split()
    return int(more), float(seconds)


def share() -> bool:
    more, seconds = measured(SHARE, False)
    print(f"{SHARE:,} simulations of a share: {more >> 20} MiB more than {SHORT}, {seconds:.1f} s")
    return more <= MOST


def minutes() -> bool:
    (_, before), (more, seconds) = (measured(count, True) for count in (FEWER, MINUTES))
    ratio = seconds / MINUTES / (before / FEWER)
    print(
        f"{MINUTES:,} simulations of minutes: {more >> 20} MiB more than {SHORT}, {seconds:.1f} s, "
        f"{ratio:.2f} of the time of {FEWER:,} a simulation"
    )
    return more <= MOST_OF_MINUTES and ratio <= LINEAR


def main() -> int:
    if len(sys.argv) > 2:
        added(sys.argv[1], int(sys.argv[2]))
        return 0
    held = [share(), minutes()]
    limits = f"{MOST >> 20} and {MOST_OF_MINUTES >> 20} MiB, and {LINEAR} of the time a simulation, are allowed"
    print("PASS" if all(held) else f"FAIL: {limits}")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
