"""The product's conscience: on noise nothing can be earned, and what the bars cannot prove is not claimed.

Driftless random walks of many steps a bar show the true path, which the bars then hide.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from marketsim.backtesting import pipeline
from marketsim.data.bars import make_bars
from marketsim.execution.evaluation import evaluate
from marketsim.execution.fills import long_leg, short_leg
from marketsim.execution.profit_terms import Costs, Outcomes, one_by_one
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings
from tests.backtesting.test_pipeline import Held
from tests.problems import make_levels

VOLATILITY = 0.03


@dataclass
class Paths:
    """`prices` [T, K] of T bars of K steps, each relative to the last close; `close` [T + 1] in price units."""

    prices: NDArray[np.float64]
    close: NDArray[np.float64]

    @property
    def moves(self) -> Outcomes:
        p = self.prices - 1
        return Outcomes(p[:, 0], p.max(1), p.min(1), p[:, -1])

    def long_profit(self, bar: int, upper: float, lower: float) -> float:
        """What the path pays a long without costs: a limit order at `lower`, then one at `upper`; moves."""
        path = self.prices[bar] - 1
        through = np.flatnonzero(path < lower)
        if not through.size:
            return 0.0
        entry = min(lower, path[0])
        reached = np.flatnonzero(path[through[0] :] > upper)
        return float((upper if reached.size else path[-1]) - entry)

    def short_profit(self, bar: int, upper: float, lower: float) -> float:
        mirror = Paths(2 - self.prices[bar : bar + 1], self.close)
        return mirror.long_profit(0, -lower, -upper)


def brownian(bars: int, steps: int, seed: int, gap: float = 0.0) -> Paths:
    """A martingale in price: increments of one size, a gap before each bar, nothing to be earned."""
    rng = np.random.default_rng(seed)
    increments = VOLATILITY / np.sqrt(steps) * rng.standard_normal((bars, steps))
    increments[:, 0] = gap * rng.standard_normal(bars)
    prices = 1 + np.cumsum(increments, axis=1)
    return Paths(prices, 100 * np.concatenate([[1.0], np.cumprod(prices[:, -1])]))


LEVELS = [(0.005, -0.005), (0.02, -0.02), (0.005, -0.03), (0.04, -0.004), (0.0, 0.0)]


@pytest.mark.parametrize(("upper", "lower"), LEVELS)
@pytest.mark.parametrize("gap", [0.0, 0.01])
def test_the_true_profit_lies_between_provable_and_touch_on_every_bar(upper: float, lower: float, gap: float) -> None:
    paths = brownian(600, 1000, 1, gap)
    at = make_levels(np.full(600, upper), np.full(600, lower))
    for terms, true_profit in ((long_leg, paths.long_profit), (short_leg, paths.short_profit)):
        truth = np.array([true_profit(bar, upper, lower) for bar in range(600)])
        zero = np.zeros((1, 1))
        least, most = (
            evaluate(one_by_one(terms(at, paths.moves, Costs(0, 0), fill)), zero, zero)[:, 0]
            for fill in ("provable", "touch")
        )
        assert (least <= truth + 1e-12).all()
        assert (truth <= most + 1e-12).all()


def walk_on_noise(world: int, fill: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Out-of-sample profits `[S]` that the fill policy claims, and those that the true path pays."""
    paths = brownian(171, 1000, 100 + world)
    moves, close = paths.moves, paths.close
    prices = np.stack([1 + moves.open, 1 + moves.high, 1 + moves.low, 1 + moves.close], 1) * close[:-1, None]
    time = np.datetime64("2020-01-01", "s") + np.arange(171) * np.timedelta64(1, "D")
    bars = make_bars("NOISE", "noise", time, np.column_stack([prices, np.full(171, np.nan)]), crypto=True)
    settings = Settings.of(strategy="always-on", fill=fill, fee_bps=0, slippage_bps=0, min_t=0)
    tools = pipeline.Tools(Held(bars), RollingQuantile(), Exact(), None)
    track = pipeline.run_symbol("NOISE", settings, tools, Clock()).strategies[0]
    fit = track.fit
    truth = []
    for s in range(70):
        bar = len(bars) - 1 - s
        upper, lower = (float(level[s] / close[bar] - 1) for level in (fit.upper, fit.lower))
        truth.append(paths.long_profit(bar, np.inf if fit.close_at_eod[s] else upper, lower))
    return track.profits[fill], np.array(truth)


def t_value(profits: list[NDArray[np.float64]]) -> float:
    everything = np.concatenate(profits)
    return float(everything.mean() / (everything.std(ddof=1) / np.sqrt(everything.size)))


def test_on_noise_expected_claims_what_the_path_pays() -> None:
    worlds = [walk_on_noise(world, "expected") for world in range(12)]
    assert abs(t_value([claimed - paid for claimed, paid in worlds])) < 2
    assert abs(t_value([claimed for claimed, _ in worlds])) < 2


def test_on_noise_provable_claims_nothing_while_touch_claims_a_fortune_that_the_path_does_not_pay() -> None:
    provable, touch = ([walk_on_noise(world, fill) for world in range(12)] for fill in ("provable", "touch"))
    assert t_value([claimed for claimed, _ in provable]) < 2
    assert t_value([claimed for claimed, _ in touch]) > 5
    assert t_value([paid for _, paid in touch]) < 2
    assert t_value([paid for _, paid in provable]) < 2
