"""Which fits deserve an order: windows, memory, gates and a range filter. Run: scripts/bench selection [--long]

Every rule chooses on the same windows of the same bars and is paid what `backtest` books, costs and `expected` fills
included: on the sample's daily bars with `har`, and in simulated worlds whose forecasts of the next high, low and close
know something. There a forecast is the best one from a signal, the actual move with noise added: a signal-to-noise of
0.1, a ratio of variances, explains 9 % of what `har` misses. Rules with a half-life take long to fit and are measured
on fewer bars than the others.

The criterion, written down before the worlds of the seed below were looked at:

- The kinds of world are the sample and signal-to-noise 0, 0.05, 0.1 and 0.2 (in none of which a gate earned its costs
  at window 60, with another seed), 0.3 (not looked at before), 0.5 and 1. All count alike.
- The regret of a gate in a kind of world is what `always-on` at window 60 earns a bar less with it than with the best
  of the gates 0, 0.5, 1, 1.5 and 2, of the range filter, and of never to trade.
- The default is the gate with the least mean regret: PASS says that it is, FAIL names the gate that is. The intervals
  of the differences say how sure that is; they do not decide.
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
PLAIN = MEMORIES[:3]  # those without a half-life
GATES = (0.0, 0.5, 1.0, 1.5, 2.0)
RANGE = 12  # round trips of costs that the forecast range has to be
RATIOS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)  # signal to noise
REAL, PLANTED = "sample", "s/n {:g}"
RESAMPLES = 2000
BLOCK = 3  # months drawn together
SEED = 1127


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


DEFAULT, UNGATED = Rule(60, None, Settings().rules.min_t), Rule(60, None, 0.0)
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


@dataclass(frozen=True)
class World:
    """One kind of world: what all rules earned on some bars, and those without a half-life on more of them."""

    thin: list[Earned]
    dense: list[Earned]

    def of(self, rule: Rule) -> list[Earned]:
        """The bars that a rule is measured on."""
        return self.thin if rule.half_life else self.dense


def worlds(long: bool) -> dict[str, World]:
    """What the rules earned, by kind of world."""
    found = {REAL: World([], [])} | {PLANTED.format(ratio): World([], []) for ratio in RATIOS}
    more = 10 if long else 1
    series: list[tuple[Bars, str, float | None, int, int]] = [(bars, REAL, None, 80, 500) for bars in sample()]
    for seed in range(8):
        paths = simulate(WORLDS["stochastic"], HISTORY + LONGEST + 500, np.random.default_rng([SEED, seed]))
        bars = replace(noise_bars(paths), crypto=seed % 2 == 0)
        series += [(bars, PLANTED.format(ratio), ratio, 20, 200) for ratio in RATIOS]
    for bars, name, ratio, thin, dense in series:
        found[name].thin.append(earned(bars, thinned(bars, more * thin), ratio))
        found[name].dense.append(earned(bars, thinned(bars, more * dense), ratio, PLAIN))
    return found


def sample() -> list[Bars]:
    """The daily bars in the package, of symbols that have enough."""
    source = open_source("sample")
    found = [source.load(symbol) for symbol in source.symbols()]
    return [bars for bars in found if len(bars) >= HISTORY + LONGEST + 250]


def thinned(bars: Bars, count: int) -> int:
    """Of how many bars one is evaluated, for about `count` of them."""
    return max(1, (len(bars) - LONGEST - HISTORY) // count)


@dataclass(frozen=True)
class Difference:
    """By how much a rule is better than another, in basis points a bar."""

    mean: float
    drawn: Array  # [RESAMPLES] means of resamples

    def __str__(self) -> str:
        low, high = np.quantile(self.drawn, [0.025, 0.975])
        return f"{self.mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def difference(series: list[Earned], rule: int, other: int | None) -> Difference:
    """Of a rule and another, or never to trade, over series that count alike.

    Blocks of months are drawn for all series together, and the same ones for all kinds of simulated world: what moves
    them together counts so.
    """
    months = np.unique(np.concatenate([record.month for record in series]))
    sums, counts = np.zeros((2, len(series), len(months)))
    for i, record in enumerate(series):
        at = np.searchsorted(months, record.month)
        gain = record.profit[rule] - (0.0 if other is None else record.profit[other])
        np.add.at(sums[i], at, gain)
        np.add.at(counts[i], at, 1.0)
    rng = np.random.default_rng([SEED, len(months)])
    start = rng.integers(0, len(months), (RESAMPLES, -(-len(months) // BLOCK)))
    drawn = ((start[..., None] + np.arange(BLOCK)) % len(months)).reshape(RESAMPLES, -1)
    total, bars = sums[:, drawn].sum(2), counts[:, drawn].sum(2)
    means = 1e4 * np.nanmean(np.where(bars > 0, total / np.where(bars > 0, bars, 1.0), np.nan), axis=0)
    return Difference(float(1e4 * (sums.sum(1) / counts.sum(1)).mean()), means)


def main() -> int:
    found = worlds(long="--long" in sys.argv[1:])
    for name, world in found.items():
        print(f"{name}: {counted(world.dense)} bars, {counted(world.thin)} for rules with a half-life")
    base = RULES.index(UNGATED)
    heads = [
        "rule",
        f"gain over window {UNGATED.window} without a gate, sample",
        "profit a bar, sample",
        "orders",
        *list(found)[1:],
    ]
    print(f"\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for r, rule in enumerate(RULES):
        real, *planted = (world.of(rule) for world in found.values())
        traded = np.mean([record.traded[r].mean() for record in real])
        cells = [rule.name, "0" if r == base else str(difference(real, r, base)), str(difference(real, r, None))]
        print(
            f"| {' | '.join([*cells, f'{100 * traded:.0f} %', *(f'{mean(record, r):+.1f}' for record in planted)])} |"
        )
    return verdict([world.dense for world in found.values()])


def verdict(found: list[list[Earned]]) -> int:
    """The regrets of the rules without a half-life, and whether the default is the gate with the least."""
    gates = [r for r, rule in enumerate(RULES) if rule.window == DEFAULT.window and not rule.half_life]
    best = np.maximum([max(mean(series, r) for r in gates) for series in found], 0.0)
    default = RULES.index(DEFAULT)
    print(f"\nregret, mean of {len(found)} kinds of world, and what is earned over the default, in bps a bar:")
    print(f"never trade: {best.mean():.1f}, {over(found, None, default)}")
    least, chosen = np.inf, default
    for r, rule in enumerate(RULES):
        if rule.half_life:
            continue
        regret = float(np.mean([top - mean(series, r) for top, series in zip(best, found, strict=True)]))
        print(f"{rule.name}: {regret:.1f}, {'the default' if r == default else over(found, r, default)}")
        if r in gates and not rule.ranged and regret < least:
            least, chosen = regret, r
    print("PASS" if chosen == default else f"FAIL: the least regret has {RULES[chosen].name}")
    return int(chosen != default)


def over(found: list[list[Earned]], rule: int | None, default: int) -> Difference:
    """What a rule, or never to trade, earns over the default, mean of the kinds of world."""
    differences = [difference(series, default, rule) for series in found]
    return Difference(
        -float(np.mean([one.mean for one in differences])), -np.mean([one.drawn for one in differences], axis=0)
    )


def mean(series: list[Earned], rule: int) -> float:
    """What a rule earned, mean of the series."""
    return float(np.mean([1e4 * record.profit[rule].mean() for record in series]))


def counted(series: list[Earned]) -> str:
    """How many bars there are."""
    return f"{sum(len(record.month) for record in series):,}"


if __name__ == "__main__":
    sys.exit(main())
