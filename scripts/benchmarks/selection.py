"""Which fits deserve an order: windows, memory, gates and a range filter. Run: scripts/bench selection [--long]

Every rule chooses on the same windows of the same bars and is paid what `backtest` books, costs and `expected` fills
included: on the sample's daily bars with `har`, and in simulated worlds whose forecasts of the next high, low and close
know something. There a forecast is the best one from a signal, the actual move with noise added: a signal-to-noise of
0.1, a ratio of variances, explains 9 % of what `har` misses. A rule's regret in a kind of world is what it earns a bar
less than the best rule there; never to trade is one of the rules. The gate is measured on more of the sample, too.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from _noise import WORLDS, simulate
from _walks import HISTORY, noise_bars
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.backtesting.gate import stands_aside
from marketsim.backtesting.simulation import Market, fit_strategies
from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk, make_walk
from marketsim.execution.track_record import book
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import CLOSE, HIGH, LOW, MEDIAN, Forecasts, actual_moves, repair
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.settings.choices import ALWAYS_ON, EXPECTED
from marketsim.settings.settings import Settings

Array = NDArray[np.float64]
Memory = tuple[int, float | None]  # window and half-life

LONGEST = 250
MEMORIES: tuple[Memory, ...] = (
    (60, None),
    (120, None),
    (250, None),
    (250, 60.0),
    (250, 120.0),
    (250, 250.0),
)  # windows and half-lives
GATES = (0.0, 0.5, 1.0, 1.5)
RANGE = 12  # round trips of costs that the forecast range has to be
RATIOS = (0.0, 0.05, 0.1, 0.2)  # signal to noise
REAL, PLANTED = "sample", "s/n {:g}"
RESAMPLES = 2000
BLOCK = 3  # months drawn together
SEED = 7
SLACK = 1.0  # bps a bar of regret that so few worlds cannot tell


@dataclass(frozen=True)
class Rule:
    """When an order is placed: which bars a fit remembers, and what it has to show."""

    window: int
    half_life: float | None
    min_t: float
    ranged: bool = False

    @property
    def name(self) -> str:
        memory = f"window {self.window}" + (f", half-life {self.half_life:g}" if self.half_life else "")
        return memory + (f", t >= {self.min_t:g}" if self.min_t else "") + (f", range > {RANGE}" if self.ranged else "")


DEFAULT, UNGATED = Rule(60, None, 1.0), Rule(60, None, 0.0)
RULES = (
    *(Rule(window, half_life, gate) for window, half_life in MEMORIES for gate in GATES),
    Rule(60, None, 0.0, ranged=True),
)


@dataclass(frozen=True)
class Earned:
    """What each rule earned on evaluated bars, and when they were."""

    month: NDArray[np.int64]  # [S]
    profit: Array  # [R, S] fractions of the close
    traded: NDArray[np.bool_]  # [R, S] whether an order was placed


def earned(bars: Bars, every: int, ratio: float | None = None, memories: Sequence[Memory] = MEMORIES) -> Earned:
    """Each rule with one of the memories on every `every`-th bar that the longest window allows."""
    sims = len(bars) - LONGEST - HISTORY
    walk = make_walk(len(bars), sims, LONGEST, HISTORY, bars.symbol)
    forecasts = make_forecasts(Har(), bars, walk.origins, None, Clock())
    if ratio:
        forecasts = informed(forecasts, bars, ratio)
    profit, traded = np.zeros((len(RULES), -(-sims // every))), np.zeros((len(RULES), -(-sims // every)), bool)
    for window, half_life in memories:
        market = market_of(bars, every, sims, window, forecasts)
        rules = Settings.of(strategy=ALWAYS_ON, min_t=0, half_life=half_life).rules
        fits, _ = fit_strategies([ALWAYS_ON], market, rules, Exact(), 0)
        fit, at = fits[ALWAYS_ON], market.walk.evaluated
        chosen = fit.high_multiplier[:-1], fit.low_multiplier[:-1]
        then = market.levels.at(at), market.outcomes.at(at), fit.legs.at(slice(-1)), market.costs, EXPECTED
        paid = book(ALWAYS_ON, *then, chosen, fit.close_at_eod[:-1]).profits[EXPECTED]
        wide = market.levels.high_move[at] - market.levels.low_move[at] > RANGE * 2 * market.costs.fee
        for r, rule in enumerate(RULES):
            if (rule.window, rule.half_life) == (window, half_life):
                placed = ~stands_aside(fit.t[:-1], rule.min_t) & (wide | (not rule.ranged))
                profit[r], traded[r] = np.where(placed, paid, 0.0), placed
    origins = walk.origins[walk.evaluated[::every]]
    return Earned(bars.time[origins + 1].astype("datetime64[M]").astype(np.int64), profit, traded)


def market_of(bars: Bars, every: int, sims: int, window: int, forecasts: Forecasts) -> Market:
    """The market of every `every`-th simulation of a walk with this window."""
    walk = make_walk(len(bars), sims, window, HISTORY, bars.symbol)
    some = np.arange(0, sims, every)
    walk = Walk(walk.origins, walk.windows[np.append(some, sims)], walk.evaluated[some], walk.judged)
    known = slice(-len(walk.origins), None)
    newest = replace(forecasts, origins=walk.origins, moves=forecasts.moves[known], repaired=forecasts.repaired[known])
    return Market.of(bars, walk, newest, Settings().costs)


def informed(forecasts: Forecasts, bars: Bars, ratio: float) -> Forecasts:
    """The forecasts, moved by what a signal of the next high, low and close is worth."""
    rng = np.random.default_rng(SEED)
    moves = forecasts.moves.copy()
    channels = [HIGH, LOW, CLOSE]
    missed = actual_moves(bars, forecasts.origins[:-1])[:, channels] - moves[:-1, channels, MEDIAN]
    noise = missed.std(0) / np.sqrt(ratio) * rng.standard_normal(missed.shape)
    moves[:-1, channels] += (ratio / (1 + ratio) * (missed + noise))[..., None]
    moves, repaired = repair(moves)
    return replace(forecasts, moves=moves, repaired=repaired)


def worlds(long: bool) -> dict[str, list[Earned]]:
    """What the rules earned, by kind of world."""
    found: dict[str, list[Earned]] = {REAL: [earned(bars, thinned(bars, 80, long)) for bars in sample()]}
    for ratio in RATIOS:
        for seed in range(12 if long else 4):
            paths = simulate(WORLDS["stochastic"], HISTORY + LONGEST + 500, np.random.default_rng([SEED, seed]))
            bars = replace(noise_bars(paths), crypto=seed % 2 == 0)
            found.setdefault(PLANTED.format(ratio), []).append(earned(bars, thinned(bars, 50, long), ratio))
    return found


def sample() -> list[Bars]:
    """The daily bars in the package, of symbols that have enough."""
    source = open_source("sample")
    found = [source.load(symbol) for symbol in source.symbols()]
    return [bars for bars in found if len(bars) >= HISTORY + LONGEST + 250]


def thinned(bars: Bars, count: int, long: bool) -> int:
    """Of how many bars one is evaluated, for about `count` of them, or ten times as many."""
    return max(1, (len(bars) - LONGEST - HISTORY) // (10 * count if long else count))


def difference(series: list[Earned], rule: int, other: int | None) -> tuple[float, float, float]:
    """By how much a rule is better than another, or than never to trade, in bps a bar; ends of the 95 % interval.

    Series count alike. Blocks of months are drawn for all series together, so that what moves them together counts so.
    """
    months = np.unique(np.concatenate([each.month for each in series]))
    sums, counts = np.zeros((2, len(series), len(months)))
    for i, each in enumerate(series):
        at = np.searchsorted(months, each.month)
        gain = each.profit[rule] - (0.0 if other is None else each.profit[other])
        np.add.at(sums[i], at, gain)
        np.add.at(counts[i], at, 1.0)
    rng = np.random.default_rng(SEED)
    start = rng.integers(0, len(months), (RESAMPLES, -(-len(months) // BLOCK)))
    drawn = ((start[..., None] + np.arange(BLOCK)) % len(months)).reshape(RESAMPLES, -1)
    total, bars = sums[:, drawn].sum(2), counts[:, drawn].sum(2)
    means = 1e4 * np.nanmean(np.where(bars > 0, total / np.where(bars > 0, bars, 1.0), np.nan), axis=0)
    low, high = np.quantile(means, [0.025, 0.975])
    return float(1e4 * (sums.sum(1) / counts.sum(1)).mean()), float(low), float(high)


def regrets(found: dict[str, list[Earned]]) -> Array:
    """`[R + 1, K]` in bps a bar, by rule, the last one never to trade, and kind of world."""
    level = np.array(
        [
            [np.mean([1e4 * each.profit[r].mean() for each in series]) for series in found.values()]
            for r in range(len(RULES))
        ]
    )
    level = np.concatenate([level, np.zeros((1, len(found)))])
    return np.asarray(level.max(0) - level)


def main() -> int:
    long = "--long" in sys.argv[1:]
    found = worlds(long)
    gated = [earned(bars, thinned(bars, 500, long), memories=MEMORIES[:1]) for bars in sample()]
    missed = regrets(found).mean(1)
    base, default = RULES.index(UNGATED), RULES.index(DEFAULT)
    print(", ".join(f"{name}: {sum(len(each.month) for each in series):,} bars" for name, series in found.items()))
    heads = ["rule", "over argmax at window 60, sample", "a bar, sample", "orders", *list(found)[1:], "mean regret"]
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for r, rule in enumerate(RULES):
        gain = "0" if r == base else interval(difference(found[REAL], r, base))
        traded = np.mean([each.traded[r].mean() for each in found[REAL]])
        planted = [f"{np.mean([1e4 * each.profit[r].mean() for each in series]):+.1f}" for series in found.values()]
        cells = [rule.name, gain, interval(difference(found[REAL], r, None)), f"{100 * traded:.0f} %", *planted[1:]]
        print(f"| {' | '.join(cells)} | {missed[r]:.1f} |")
    mean, low, high = difference(found[REAL], base, None)
    print(f"| never trade | {interval((-mean, -high, -low))} | 0 | 0 % |{' 0 |' * len(RATIOS)} {missed[-1]:.1f} |")
    return verdict(gated, missed, base, default)


def verdict(gated: list[Earned], missed: Array, base: int, default: int) -> int:
    """Whether the default gate is right: better than none on the sample, and of the least regret at its window."""
    gain, bars = difference(gated, default, base), sum(len(each.month) for each in gated)
    print(f"\nthe default gate on {bars:,} bars of the sample: {interval(gain)} bps a bar over none")
    same = [r for r, rule in enumerate(RULES) if (rule.window, rule.half_life) == MEMORIES[0]]
    least, best = (min(rows, key=lambda r: missed[r]) for rows in (same, range(len(RULES))))
    print(f"least mean regret at its window: {RULES[least].name}, {missed[least]:.1f}; default {missed[default]:.1f}")
    print(f"least of all rules: {RULES[best].name}, {missed[best]:.1f}; never to trade, {missed[-1]:.1f}")
    held = gain[1] > 0 and missed[default] <= missed[least] + SLACK
    print("PASS" if held else "FAIL: the default should be the row of the least regret")
    return int(not held)


def interval(found: tuple[float, float, float]) -> str:
    """A mean with the ends of its interval."""
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*found)


if __name__ == "__main__":
    sys.exit(main())
