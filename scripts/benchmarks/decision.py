"""How often the answer is right, where the truth is known. Run: scripts/bench decision

Whole walks on worlds of noise without costs, where TRADE is wrong; whole walks on worlds in which the forecasts know
part of the next move, where it is right; and series of profits, drawn directly, for the pooled mean and the reality
check.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
from _walks import Held
from numpy.typing import NDArray

from marketsim.backtesting import pipeline
from marketsim.backtesting.pipeline import Tools
from marketsim.data.bars import Bars, make_bars
from marketsim.forecasting.series import Series
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.dated_profits import DatedProfits
from marketsim.results.document import symbol_document
from marketsim.results.pooling import pool
from marketsim.results.reality_check import reality_check
from marketsim.results.schema import DONT, TRADE
from marketsim.settings.settings import Settings

STEPS = 200  # of a bar's path
VOLATILITY = 0.02  # of a bar
WINDOW = 30  # bars of a fit: half of the default, a quarter of its time
HISTORY = 120  # bars before the walk and its window
KNOWN = 0.008  # deviation of the part of a bar's move that planted forecasts know: they earn 30 basis points a bar
MOST_WRONG, LEAST_RIGHT = 0.035, 0.80
COVERAGE, SIZE = (0.93, 0.97), (0.04, 0.06)

Array = NDArray[np.float64]


class Knowing(RollingQuantile):
    """Quantiles of past moves, shifted by the part of the next move that is known."""

    name = "knowing"

    def __init__(self, known: Array) -> None:
        self.known = known  # [T] log move of each bar that its forecast knows

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> Array:
        """See `HistoryModel.forecast`."""
        moves = super().forecast(series, origins)
        shift = np.expm1(self.known[np.minimum(origins + 1, len(self.known) - 1)])
        moves[:, 1:] += shift[:, None, None]  # not the open
        return moves


def world(count: int, known: float, seed: int) -> tuple[Bars, Array]:
    """Bars of a stock that follows a random walk, and the part of each bar's move that can be known."""
    rng = np.random.default_rng([29, seed])
    drift = known * rng.standard_normal(count)
    steps = VOLATILITY / np.sqrt(STEPS) * rng.standard_normal((count, STEPS)) + drift[:, None] / STEPS
    path = np.cumsum(steps, axis=1)
    before = np.concatenate([[0.0], np.cumsum(path[:-1, -1])])
    log = np.column_stack([np.zeros(count), np.maximum(path.max(1), 0), np.minimum(path.min(1), 0), path[:, -1]])
    prices = 100 * np.exp(log + before[:, None])
    time = np.datetime64("2010-01-01", "s") + np.arange(count) * np.timedelta64(1, "D")
    volume = np.full(count, np.nan)
    return make_bars("WORLD", "noise", time, np.column_stack([prices, volume]), crypto=False, calendar="24/7"), drift


def answer(sims: int, known: float, seed: int) -> tuple[str, float]:
    """The decision on one world, and what the better strategy earned, in basis points a bar."""
    settings = Settings.of(sims=sims, window=WINDOW, fee_bps=0, slippage_bps=0)
    bars, drift = world(HISTORY + WINDOW + sims, known, seed)
    model = Knowing(drift if known else np.zeros(len(drift)))
    run = pipeline.run_symbol("WORLD", settings, Tools(Held(bars), model, Exact(), None), Clock())
    document = symbol_document(run)
    row = next((row for row in document.rows if row.name == document.strategy), None)
    return document.decision, 0.0 if row is None else row.mean_bps


def answers(sims: int, known: float, worlds: int) -> tuple[Counter[str], float]:
    """How often each decision was given, and the mean profit."""
    with ProcessPoolExecutor(os.cpu_count()) as workers:
        found = list(workers.map(partial(answer, sims, known), range(worlds), chunksize=4))
    return Counter(decision for decision, _ in found), float(np.mean([profit for _, profit in found]))


def series(dates: int, count: int, fat: bool, seed: int) -> Array:
    """Worthless series `[D, K]` that share half of their variance; fat tails are Student's t with 4 degrees."""
    rng = np.random.default_rng([31, seed])
    draw = (lambda shape: rng.standard_t(4, shape)) if fat else rng.standard_normal
    profits: Array = np.sqrt(0.5) * (draw((dates, 1)) + draw((dates, count)))
    return profits


def dated(profits: Array) -> list[DatedProfits]:
    """The series of a table, all on the same dates."""
    times = [f"{date:06d}" for date in range(len(profits))]
    return [DatedProfits(times, column) for column in profits.T]


def covered(worlds: int, dates: int) -> float:
    """How often the pooled interval of ten symbols, some with missing bars, covers the mean."""
    hits = []
    for seed in range(worlds):
        profits = series(dates, 10, True, seed)
        profits[np.random.default_rng(seed).random(profits.shape) < np.linspace(0, 0.5, 10)] = np.nan
        interval = pool(dated(profits), seed).interval
        hits.append(interval is not None and interval.low <= 0 <= interval.high)
    return float(np.mean(hits))


def size(worlds: int, dates: int, count: int) -> float:
    """How often the reality check finds the best of worthless series at 5 %."""
    found = (dated(series(dates, count, seed % 2 == 1, seed)) for seed in range(worlds))
    checks = (reality_check(profits, seed).best for seed, profits in enumerate(found))
    return float(np.mean([p is not None and p <= 0.05 for p in checks]))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--worlds", type=int, default=300)
    parser.add_argument("--planted", type=int, default=60)
    parser.add_argument("--draws", type=int, default=2000)
    given = parser.parse_args()
    held = []
    for sims, known, worlds in ((70, 0.0, given.worlds), (500, KNOWN, given.planted)):
        said, profit = answers(sims, known, worlds)
        trade, dont = said[TRADE] / worlds, said[DONT] / worlds
        held.append(trade <= MOST_WRONG if not known else trade >= LEAST_RIGHT)
        name = "planted" if known else "noise"
        print(f"{name:<8} {worlds} worlds, {sims} bars: TRADE {trade:.1%}, DON'T {dont:.1%}; {profit:+.1f} bps a bar")
    share = covered(given.draws, 70)
    held.append(COVERAGE[0] <= share <= COVERAGE[1])
    print(f"pooled   {given.draws} worlds, 70 dates, 10 correlated symbols: the interval covers in {share:.1%}")
    for dates in (70, 250):
        for count in (2, 10):
            rate = size(given.draws, dates, count)
            held.append(SIZE[0] <= rate <= SIZE[1])
            print(f"reality  {given.draws} worlds, {dates} dates, best of {count}: found at 5 % in {rate:.1%}")
    print("PASS" if all(held) else "FAIL")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
