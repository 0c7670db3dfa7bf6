"""The whole walk on noise, with the default model and fitted multipliers, and what its paths paid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from _noise import WORLDS, Paths, path_profit, simulate
from numpy.typing import NDArray

from marketsim.backtesting import pipeline
from marketsim.data.bars import Bars, make_bars
from marketsim.execution.profit_terms import Costs
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.results.result import Result
from marketsim.results.significance import mean_interval
from marketsim.settings.settings import Settings

WINDOWS = (7, 30, 60, 120)
FITTED = ("expected", "touch")
SIMULATIONS = (70, 500)  # the default walk, and one that is long enough to betray a rule that counts what was touched
SEED = 11  # other worlds than those on which the interval of `significance.py` was chosen
HISTORY = 260  # bars before the longest window: the regression of `har` asks for 220
COSTS = Costs.from_bps(15, 5)

Array = NDArray[np.float64]


@dataclass
class Held:
    """A source that holds one symbol's bars in memory."""

    bars: Bars
    name: str = "noise"

    def symbols(self) -> list[str]:
        return [self.bars.symbol]

    def load(self, symbol: str, crypto: bool | None = None) -> Bars:
        return self.bars


def walk(bars: Bars, settings: Settings) -> Result:
    """A run on bars in memory, without a cache."""
    tools = pipeline.Tools(Held(bars), Har(), Exact(), None)
    return pipeline.run_symbol(bars.symbol, settings, tools, Clock())


def noise_bars(paths: Paths) -> Bars:
    """Daily bars of a coin that follows the paths, one after the other."""
    before = np.cumsum(np.append(0.0, paths.close[:-1]))
    did = paths.outcomes
    prices = np.stack([np.log1p(price) for price in (did.open, did.high, did.low, did.close)], 1) + before[:, None]
    time = np.datetime64("2020-01-01", "s") + np.arange(len(prices)) * np.timedelta64(1, "D")
    ohlcv = np.column_stack([100 * np.exp(prices), np.full(len(prices), np.nan)])
    return make_bars("NOISE", "noise", time, ohlcv, crypto=True)


def world(kind: str, seed: int) -> Array:
    """One world, `[walks, windows, fills, 5]`: the headline, the ends of its interval, what the path paid, its costs.

    All are means over the evaluated bars in fractions of the close. A walk's newest bars are a shorter walk.
    """
    longest = max(SIMULATIONS)
    count = HISTORY + WINDOWS[-1] + longest
    paths = simulate(WORLDS[kind], count, np.random.default_rng([SEED, seed]))
    bars = noise_bars(paths)
    evaluated = paths.at(slice(count - longest, None))
    close = bars.close[-longest - 1 : -1]
    found = np.empty((len(SIMULATIONS), len(WINDOWS), len(FITTED), 5))
    for i, window in enumerate(WINDOWS):
        for j, fill in enumerate(FITTED):
            settings = Settings.of(strategy="always-on", fill=fill, window=window, sims=longest)
            (track,) = walk(bars, settings).strategies
            fit = track.fit
            lower, upper = (level[-2::-1] / close - 1 for level in (fit.lower, fit.upper))
            paid, cost = path_profit(evaluated, False, lower, upper, fit.close_at_eod[-2::-1], COSTS)
            for k, sims in enumerate(SIMULATIONS):
                profits = track.profits[fill][sims - 1 :: -1]
                interval = mean_interval(profits, settings.seed)
                assert interval is not None
                found[k, i, j] = profits.mean(), interval.low, interval.high, paid[-sims:].mean(), cost[-sims:].mean()
    return found
