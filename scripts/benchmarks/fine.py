"""Walks on finer bars: how far the headline is from the path as they shorten, and what they cost in time.

On noise whose paths are known, each walk is run without finer bars and with those of a fourth, a 24th and a 96th of a
bar. The headline must come nearer to what the path paid, and its interval hold minus the costs of its own trades. Then
`marketsim backtest AAPL` takes turns with the same on hourly bars, in processor time of the whole command.
Run: scripts/bench fine [--worlds N] [--processes N]
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from functools import partial

import numpy as np
from _noise import WORLDS, Paths, path_profit, simulate
from _walks import COSTS, HISTORY, noise_bars, walk
from numpy.typing import NDArray

from marketsim.data.bars import Bars, make_bars
from marketsim.results.significance import mean_interval
from marketsim.settings.settings import Settings

PARTS = (1, 4, 24, 96)  # of a bar; 1: no finer bars
WINDOW, SIMULATIONS = 60, 70
SEED = 23
COVERED = (0.93, 0.97)
SLOWER = 1.5  # times as long as without finer bars, at most
TURNS = 5

Array = NDArray[np.float64]


def finer_bars(paths: Paths, bars: Bars, parts: int) -> Bars:
    """The finer bars of noise as those of a coin."""
    before = np.concatenate([[100.0], bars.close[:-1]])
    prices = before[:, None, None] * np.exp(paths.finer(parts))
    step = np.arange(parts) * (86_400 // parts)
    time = (bars.time.astype("datetime64[s]").astype(np.int64)[:, None] + step).ravel().astype("datetime64[s]")
    ohlcv = np.column_stack([prices.reshape(-1, 4), np.full(time.size, np.nan)])
    return make_bars("NOISE", "noise", time, ohlcv, crypto=True)


def world(kind: str, seed: int) -> Array:
    """One world, `[parts, 5]`: the headline, the ends of its interval, what the path paid, its costs, a bar."""
    count = HISTORY + WINDOW + SIMULATIONS
    paths = simulate(WORLDS[kind], count, np.random.default_rng([SEED, seed]))
    bars = noise_bars(paths)
    evaluated = paths.at(slice(count - SIMULATIONS, None))
    close = bars.close[-SIMULATIONS - 1 : -1]
    settings = Settings.of(strategy="always-on", window=WINDOW, sims=SIMULATIONS, min_t=0.0)
    found = []
    for parts in PARTS:
        known = bars if parts == 1 else bars.with_finer(finer_bars(paths, bars, parts))
        (track,) = walk(known, settings).strategies
        fit = track.fit
        lower, upper = (level[-2::-1] / close - 1 for level in (fit.lower, fit.upper))
        paid, cost = path_profit(evaluated, False, lower, upper, fit.close_at_eod[-2::-1], COSTS)
        placed = track.orders[::-1] > 0
        profits = track.profits["expected"][::-1]
        interval = mean_interval(profits, settings.seed)
        low, high = (np.nan, np.nan) if interval is None else (interval.low, interval.high)
        found.append([profits.mean(), low, high, (paid * placed).mean(), (cost * placed).mean()])
    return np.array(found)


def noise(worlds: int, processes: int) -> bool:
    """The table of all worlds, and whether the error falls and the interval holds."""
    with multiprocessing.Pool(processes) as pool:
        found = 1e4 * np.stack(pool.map(partial(world, "brownian"), range(worlds), chunksize=1))
    print(f"{worlds} worlds of brownian noise, walks of {SIMULATIONS} bars on windows of {WINDOW}; basis points a bar")
    print("  finer bars   headline     path   off by: mean   error   root mean square   covers, %   width")
    errors, shares = [], []
    for i, parts in enumerate(PARTS):
        mean, low, high, paid, cost = found[:, i].T
        known = ~np.isnan(low)
        off = mean - paid
        errors.append(float(np.sqrt((off**2).mean())))
        shares.append(float(((low <= -cost) & (-cost <= high))[known].mean()))
        name = "none" if parts == 1 else f"1/{parts}"
        print(
            f"  {name:>10} {mean.mean():+10.2f} {paid.mean():+8.2f} {off.mean():+14.2f} "
            f"{off.std(ddof=1) / np.sqrt(worlds):7.2f} {errors[-1]:18.2f} {100 * shares[-1]:11.1f} "
            f"{np.nanmean(high - low):7.1f}"
        )
    falls = all(later < earlier for earlier, later in itertools.pairwise(errors))
    chance = 2 * np.sqrt(0.05 * 0.95 / worlds)  # of the share itself
    holds = all(COVERED[0] - chance <= share <= COVERED[1] + chance for share in shares)
    verdict(falls, "the headline comes nearer to the path as the finer bars shorten")
    verdict(holds, f"its interval holds minus the costs in {COVERED[0]:.0%} to {COVERED[1]:.0%}, within chance")
    return falls and holds


def speed() -> bool:
    """`backtest AAPL` without and with hourly bars, forecasts from the cache, in turns."""
    with tempfile.TemporaryDirectory() as cache:
        commands = {
            name: [sys.executable, "-m", "marketsim", "backtest", "AAPL", "--cache-dir", cache, *words]
            for name, words in (("without", ()), ("with hours", ("--fine", "1h")))
        }
        for command in commands.values():
            seconds(command)
        taken = [{name: seconds(command) for name, command in commands.items()} for _ in range(TURNS)]
    medians = {name: statistics.median(turn[name] for turn in taken) for name in commands}
    ratio = medians["with hours"] / medians["without"]
    print(f"\nbacktest AAPL {medians['without']:.2f} s, with --fine 1h {medians['with hours']:.2f} s")
    return verdict(ratio <= SLOWER, f"{ratio:.2f} times as long (at most {SLOWER:g})")


def seconds(command: list[str]) -> float:
    """Processor seconds of a command."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def verdict(good: bool, words: str) -> bool:
    print(f"  {'PASS' if good else 'FAIL'}  {words}")
    return good


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/bench fine")
    parser.add_argument("--worlds", type=int, default=200)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    asked = parser.parse_args()
    good = [noise(asked.worlds, asked.processes), speed()]
    print("\nPASS" if all(good) else "\nFAIL")
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
