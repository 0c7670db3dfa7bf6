"""Long campaigns of faults: `scripts/fuzz [KIND...] [--seconds N] [--seed N]`; without a kind, all of them.

A trial of a kind draws a fault, and fails where a result changes without a word. The seed that is printed draws the
same faults again. Another kind is a function here, and a line in KINDS.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from marketsim.data import read_bars
from marketsim.data.bars import make_bars
from marketsim.data.parquet import write_bars
from marketsim.errors import DataError, MarketsimError
from marketsim.forecasting.cache.sqlite import FILE, SqliteCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from marketsim.results import saved_runs
from marketsim.results.result import FinishedSymbol
from marketsim.results.run_directory import RunDirectory
from tests.candles import random_bars
from tests.data.reading.exchange_files import EXCHANGE_FILES
from tests.data.reading.json_files import JSON_FILES
from tests.data.reading.program_files import PROGRAM_FILES
from tests.data.reading.stock_files import STOCK_FILES
from tests.faults.ended_early import NEW, NONE_LEFT, OLD, content, finished, in_child, write

BARS = random_bars(60)
PATIENCE = 20.0  # processor seconds that a file of sixty bars may take at most
FOUND = Path(__file__).with_name("found")


@cache
def symbols(fill: str) -> list[FinishedSymbol]:
    return finished(NEW if fill == NEW.rules.fill else OLD)


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """The content with some bits flipped, a piece cut out, repeated or moved."""
    changed = bytearray(content)
    match int(rng.integers(4)):
        case 0:
            for _ in range(int(rng.integers(1, 9))):
                changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
        case 1:
            first, last = sorted(rng.integers(len(changed), size=2))
            del changed[first : last + 1]
        case 2:
            first, last = sorted(rng.integers(len(changed), size=2))
            changed[first:first] = changed[first:last]
        case _:
            first, last = sorted(rng.integers(len(changed), size=2))
            changed = changed[last:] + changed[first:last] + changed[:first]
    return bytes(changed)


def run_files(rng: np.random.Generator, place: Path) -> bytes | None:
    """A file of a finished run is damaged; what changed a result, if anything did."""
    write(place / "run", symbols(NEW.rules.fill), NEW)
    sound = saved_runs.read(place / "run")
    path = place / "run" / str(rng.choice(["run.json", "results.json", "simulations.csv"]))
    before = path.read_bytes()
    path.write_bytes(after := damaged(before, rng))
    try:
        list(saved_runs.differences(sound, saved_runs.read(place / "run")))
    except DataError as error:
        return after if "\n" in str(error) else None
    return None if after == before else after


def kept_parts(rng: np.random.Generator, place: Path) -> bytes | None:
    """A part of an interrupted run is damaged; what was taken for another, if anything was."""
    (first, *_) = symbols(NEW.rules.fill)
    with RunDirectory(str(place / "run"), NEW) as directory:
        directory.keep(first)
        path = directory.workspace / f"{first.symbol}.part"
        path.write_bytes(after := damaged(path.read_bytes(), rng))
        return after if directory.find(first.symbol) not in (None, first) else None


def kills(rng: np.random.Generator, place: Path) -> bytes | None:
    """A run is killed at any of its file-system events, over an older one or in an empty directory."""
    old, event = bool(rng.integers(2)), int(rng.integers(1, 90))
    if old:
        write(place / "run", symbols(OLD.rules.fill), OLD)
    before = content(place / "run")
    code = in_child("kill", event, place / "run", symbols(NEW.rules.fill), NEW, False, old)
    write(place / "whole", symbols(NEW.rules.fill), NEW)
    after = content(place / "whole")
    left = content(place / "run")
    sound = left == after or (left == before and code != NONE_LEFT)
    return None if sound else f"{event} {old} {sorted(left)}".encode()


def bar_files(rng: np.random.Generator, place: Path) -> bytes | None:
    """A file of bars in a known layout is damaged; what ended otherwise than in bars or one line, or took long."""
    files = [*STOCK_FILES.values(), *EXCHANGE_FILES.values(), *PROGRAM_FILES.values(), *JSON_FILES.values()]
    file = files[rng.integers(len(files))]
    path, after = place / file.name, damaged(file.content, rng)
    path.write_bytes(after)
    if rng.integers(4) == 0:
        write_bars(make_bars("X", "test", np.arange(60).astype("datetime64[s]"), np.ones((60, 5))), place / "X.parquet")
        path = place / "X.parquet"
        path.write_bytes(after := damaged(path.read_bytes(), rng))
    begun = time.process_time()
    try:
        read_bars(path)
    except MarketsimError as error:
        return None if str(error).isprintable() and time.process_time() - begun < PATIENCE else after
    except Exception:
        return after
    return None if time.process_time() - begun < PATIENCE else after


def forecast_cache(rng: np.random.Generator, place: Path) -> bytes | None:
    """A file of cached forecasts is damaged; what changed a forecast, if anything did."""
    expected = through_cache(place)
    path = place / FILE
    path.write_bytes(after := damaged(path.read_bytes(), rng))
    return None if np.array_equal(through_cache(place), expected) else after


def through_cache(directory: Path) -> NDArray[np.float64]:
    """Forecasts read from the cache in `directory`, or made and written there."""
    with SqliteCache(directory) as cache:
        return make_forecasts(RollingQuantile(), BARS, np.arange(50, 60), cache, Clock()).moves


KINDS: dict[str, Callable[[np.random.Generator, Path], bytes | None]] = {
    "run-files": run_files,
    "kept-parts": kept_parts,
    "kills": kills,
    "bar-files": bar_files,
    "forecast-cache": forecast_cache,
}


def campaign(kind: str, seconds: float, seed: int) -> tuple[int, Path | None]:
    """Trials of a kind until the time is over: how many, and where the input of one that failed is kept."""
    end, trials = time.monotonic() + seconds, 0
    while time.monotonic() < end or not trials:
        with TemporaryDirectory(prefix="marketsim-") as place:
            failed = KINDS[kind](np.random.default_rng([seed, trials]), Path(place))
        if failed is not None:
            FOUND.mkdir(exist_ok=True)
            path = FOUND / f"{kind}-{seed}-{trials}"
            path.write_bytes(failed)
            return trials, path
        trials += 1
    return trials, None


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="scripts/fuzz", description="Long campaigns of faults.")
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=", ".join(KINDS))
    parser.add_argument("--seconds", type=float, default=60.0, help="for each kind")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args(words)
    if unknown := [kind for kind in given.kinds if kind not in KINDS]:
        parser.error(f"no kind is called {', '.join(unknown)}; there are {', '.join(KINDS)}")
    bad = 0
    for kind in given.kinds or KINDS:
        trials, path = campaign(kind, given.seconds, given.seed)
        print(f"{kind}: {trials} trials with seed {given.seed}: {'sound' if path is None else f'FAILED, see {path}'}")
        bad += path is not None
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
