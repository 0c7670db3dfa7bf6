"""The exact fit beside what a skilled user would write: with numba (_numba_rivals.py), and with vectorbt.

Both fits take turns, in processor time. Numba's sweep is handed the windows with bars of their own, ours as the
program has them: with bars that windows share.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.fills import profit_terms
from marketsim.execution.profit_terms import Costs, Levels, Outcomes, ProfitTerms, lower_level, upper_level
from marketsim.execution.strategies import always_on
from marketsim.execution.window_terms import WindowTerms
from marketsim.optimizers.exact.candidates import Bounds, Candidates
from marketsim.optimizers.exact.maximum import STEP, Optimum, maximize
from marketsim.optimizers.exact.tuning import TUNING

TURNS = 5
NEEDED = {7: 1.0, 30: 1.2, 60: 2.0, 200: 3.0}  # of numba's exact sweep, warm, at any number of problems
MANY = 7_000  # windows, each under two closing policies
PART = 10  # of many windows numba's sweep is timed on one in so many, for its time is proportional to them
CACHE = 1 << 9  # numbers of a row that a core's first-level cache holds with all else
GRID = 41  # multipliers of a grid along either way

Rows = NDArray[np.int64]


class ByHand:
    """70 windows of real bars, or 7,000 of the same bars over and over, under a fill policy."""

    def __init__(self, levels: Levels, did: Outcomes, rows: Rows, costs: Costs, fill: str, bounds: Bounds) -> None:
        self.costs, self.bounds = costs, bounds
        self.levels, self.did, self.rows = levels, did, np.ascontiguousarray(rows)
        legs = always_on(levels.high_move, levels.low_move, False)
        self.bars = profit_terms(levels, did, costs, fill, False).placed(legs)

    def many(self, window: int) -> tuple[ProfitTerms, Rows]:
        """The bars one after the other until there are enough, and the windows."""
        again = np.arange(MANY + window - 1) % len(self.did.close)
        return self.bars.at(again), np.arange(MANY)[::-1, None] + np.arange(window)

    def against_sweep(self, many: bool) -> tuple[bool, str]:
        """Whether it is fast enough beside numba's sweep, and loses no profit; and in words."""
        from _numba_rivals import grid, sweep

        window = self.rows.shape[1]
        bars, rows = self.many(window) if many else (self.bars, self.rows)
        windows = [WindowTerms(by_policy, rows) for by_policy in (bars.at_close(), bars)]
        part = slice(None, len(rows) // PART if many else None)
        apart = ProfitTerms.concatenate([of_policy.at(part).gathered() for of_policy in windows])

        def ours() -> list[Optimum]:
            return [maximize(of_policy, self.bounds) for of_policy in windows]

        found, theirs = ours(), sweep(apart, self.bounds)
        gain = np.concatenate([fit.profit[part] for fit in found]) - theirs.profit
        mine, sweeps = medians([ours, partial(sweep, apart, self.bounds)], 2 if many else TURNS)
        ratio = sweeps / mine * (PART if many else 1)
        words = f"{1e3 * sweeps:>10.2f} ms {1e3 * mine:>10.2f} {ratio:>7.1f}x {NEEDED.get(window, 0):>7.1f}x  "
        words += f"least {gain.min():+.1e}"
        if many:
            words += f", {2 * len(rows):,} problems, numba's time of {len(theirs.profit):,}"
        else:
            gridded = grid(bars, rows, self.bounds)
            (taken,) = medians([partial(grid, bars, rows, self.bounds)])
            lost = 1e4 * float(np.mean(found[1].profit - gridded.profit)) / window
            words += f"; its grid of {GRID} x {GRID}, 70 of them: {1e3 * taken:.2f} ms, {lost:.1f} bps a bar less"
        return ratio >= NEEDED.get(window, 0) and gain.min() >= -1e-12, words

    def cells(self) -> str:
        """Candidates priced a second, and how many a core can sum and compare from its first-level cache."""
        windows = WindowTerms(self.bars, self.rows)
        found = Candidates.of(windows.gathered(), self.bounds, STEP, True, TUNING)
        count = sum(len(np.unique(h)) * len(np.unique(l)) for h, l in zip(found.h, found.l, strict=True))
        (taken,) = medians([partial(maximize, windows, self.bounds)])
        return f"{count / taken / 1e6:,.0f} million candidates a second, of {limit() / 1e6:,.0f} that one core can"

    def against_vectorbt(self, profit: float) -> str:
        """A grid of one window's candidates by its orders, as `touch` fills them; `profit` is ours of that window."""
        import vectorbt

        (h_low, h_high), (l_low, l_high) = self.bounds
        h, l = (x.ravel() for x in np.meshgrid(np.linspace(h_low, h_high, GRID), np.linspace(l_low, l_high, GRID)))
        at, then = self.levels.at(self.rows[0][:, None]), self.did.at(self.rows[0][:, None])
        u, d = upper_level(at.high_move, h), lower_level(at.low_move, l)
        prices, sizes = np.empty((2, 2 * len(u), len(h)))
        prices[::2] = 1 + np.minimum(d, then.open)
        prices[1::2] = 1 + np.where(u <= then.high, u, then.close - self.costs.slippage * (1 + then.close))
        sizes[::2] = np.where(d > then.low, 1.0, np.nan)
        sizes[1::2] = -sizes[::2]
        start = time.process_time()
        orders = vectorbt.Portfolio.from_orders(prices, sizes, price=prices, fees=self.costs.fee, init_cash=1e6)
        best = float(orders.total_profit().max())
        taken = time.process_time() - start
        lost = 1e4 * (profit - best) / len(u)
        return f"{1e3 * taken:.0f} ms for one window by vectorbt's orders, {GRID} x {GRID}, {lost:.1f} bps a bar less"


def medians(ways: Sequence[Callable[[], object]], turns: int = TURNS) -> list[float]:
    """The median processor seconds of ways that take turns, after a first turn that does not count."""
    seconds: list[list[float]] = [[] for _ in ways]
    for turn in range(1 + turns):
        for way, taken in zip(ways, seconds, strict=True):
            start = time.process_time()
            way()
            if turn:
                taken.append(time.process_time() - start)
    return [median(taken) for taken in seconds]


def limit() -> float:
    """Sums and comparisons a second of one core on rows in its first-level cache, by numba."""
    from _numba_rivals import add_rows

    times, row, more = 20_000, np.zeros(CACHE), np.full(CACHE, 1e-9)
    (taken,) = medians([partial(add_rows, row, more, times)])
    return CACHE * times / taken
