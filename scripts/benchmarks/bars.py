"""A million one-minute bars of one's own: how long reading takes, and how much memory. Run: scripts/bench bars

Against pandas.read_csv for CSV and pyarrow for Parquet, which read the columns and check nothing, in processor time;
memory against pandas. Each measurement is a process of its own; medians of runs in turn, and the ratio of the quickest
ones, which says more on a noisy machine. The first reading in a process is measured, libraries imported.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

ROWS = 1_000_000
RUNS = 5
MEMORY = 2.0  # times that of pandas at most
MEASURE = """
import re, time
from pathlib import Path
import numpy, pandas, pyarrow.parquet
import marketsim.data.reading.files
from marketsim.data import read_bars

def peak():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before, start = peak(), time.process_time()
{call}
print(time.process_time() - start, peak() - before)
"""


def write(directory: Path) -> None:
    """The same bars as CSV and as Parquet."""
    import pandas

    random = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(random.normal(0, 1e-4, ROWS)))
    open_ = np.append(100.0, close[:-1])
    frame = pandas.DataFrame(
        {
            "time": pandas.date_range("2022-01-01", periods=ROWS, freq="min"),
            "open": open_.round(4),
            "high": (np.maximum(open_, close) + 0.01).round(4),
            "low": (np.minimum(open_, close) - 0.01).round(4),
            "close": close.round(4),
            "volume": random.exponential(10, ROWS).round(6),
        }
    )
    frame.to_csv(directory / "ETHUSD.csv", index=False)
    frame.to_parquet(directory / "ETHUSD.parquet", index=False)


def measured(call: str) -> tuple[float, float]:
    """Processor seconds and MiB of the call, in a fresh process with all libraries imported."""
    done = subprocess.run([sys.executable, "-c", MEASURE.format(call=call)], check=True, capture_output=True, text=True)
    seconds, kib = map(float, done.stdout.split())
    return seconds, kib / 1024


def compare(name: str, path: Path, rival: str, allowed: float, pandas: str) -> bool:
    """Print one row; whether time is within what is allowed of the rival's, and memory within twice that of pandas."""
    calls = [f"read_bars({str(path)!r})", rival.format(str(path)), pandas.format(str(path))]
    runs = [[measured(call) for call in calls] for _ in range(RUNS)]
    medians, minima = (
        middle(own[0] for own, _, _ in runs) / middle(other[0] for _, other, _ in runs)
        for middle in (statistics.median, min)
    )
    memory = statistics.median(own[1] for own, _, _ in runs) / statistics.median(other[1] for _, _, other in runs)
    row = f"{name:<8} {rival.format('FILE'):<36} {medians:>7.2f} {minima:>7.2f} {allowed:>8.2f}"
    print(f"{row} {memory:>16.2f} {MEMORY:>8.2f}")
    return bool(min(medians, minima) <= allowed and memory <= MEMORY)


def main() -> int:
    titles = ("file", "rival", "median", "minimum", "allowed", "memory of pandas", "allowed")
    print("{:<8} {:<36} {:>7} {:>7} {:>8} {:>16} {:>8}".format(*titles))
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write(directory)
        csv, parquet = directory / "ETHUSD.csv", directory / "ETHUSD.parquet"
        held = [
            compare("CSV", csv, "pandas.read_csv({!r})", 1.5, "pandas.read_csv({!r})"),
            compare("Parquet", parquet, "pyarrow.parquet.read_table({!r})", 3, "pandas.read_parquet({!r})"),
        ]
    print("PASS" if all(held) else "FAIL: a ratio is above what is allowed")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
