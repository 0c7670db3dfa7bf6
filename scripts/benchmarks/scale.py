"""One process, 10 to 1,000 symbols of synthetic bars x 70 simulations, empty cache. Run: scripts/bench scale

The cost of a symbol should not depend on how many there are, nor should memory run away.
"""

from __future__ import annotations

import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from marketsim import pipeline, report
from marketsim.config import Settings
from marketsim.profiling import Clock

SYMBOLS, BARS = 1000, 400
FLAT, MEMORY = 1.10, 1 << 30


def write_bars(directory: Path) -> list[str]:
    """SYMBOLS files of random walks, eight steps a bar."""
    rng = np.random.default_rng(1)
    days = np.datetime64("2020-01-01") + np.arange(BARS)
    names = [f"S{i:04d}" for i in range(SYMBOLS)]
    for name in names:
        path = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(BARS * 8))).reshape(BARS, 8)
        rows = zip(days, path[:, 0], path.max(1), path.min(1), path[:, -1], strict=True)
        lines = [f"{day},{a:.6f},{b:.6f},{c:.6f},{d:.6f}" for day, a, b, c, d in rows]
        (directory / f"{name}.csv").write_text("date,open,high,low,close\n" + "\n".join(lines) + "\n")
    return names


def a_symbol(names: list[str], data: Path, cache: Path) -> float:
    """Seconds a symbol, with the document made, in a cache that is empty."""
    settings = Settings(data=str(data), cache_dir=str(cache))
    start = time.perf_counter()
    runs = pipeline.run(names, settings, Clock())
    report.document(runs, settings)
    assert all(run.error is None for run in runs)
    return (time.perf_counter() - start) / len(names)


def main() -> int:
    with tempfile.TemporaryDirectory() as name:
        data = Path(name) / "bars"
        data.mkdir()
        names = write_bars(data)
        a_symbol(names[:10], data, Path(name) / "warm-up")
        costs = {}
        for count, repeats in ((10, 15), (100, 3), (SYMBOLS, 1)):
            found = [a_symbol(names[:count], data, Path(name) / f"{count}-{i}") for i in range(repeats)]
            costs[count] = statistics.median(found)
    memory = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for count, cost in costs.items():
        print(f"{count:>5} symbols: {1e3 * cost:6.1f} ms a symbol, {cost / costs[10]:.2f} of the cost among 10")
    print(f"peak memory {memory / 2**20:.0f} MiB")
    held = costs[SYMBOLS] <= FLAT * costs[10] and memory < MEMORY
    print("PASS" if held else "FAIL: the cost of a symbol grows by more than 10 %, or memory passes 1 GiB")
    return int(not held)


if __name__ == "__main__":
    sys.exit(main())
