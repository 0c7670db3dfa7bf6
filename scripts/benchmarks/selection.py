"""Which fits deserve an order: windows, memory, gates and a range filter. Run: scripts/bench selection [--long]

Every rule chooses on the same windows of the same bars and is paid what `backtest` books, costs and `expected` fills
included: on the sample's daily bars with `har`, and in simulated worlds whose forecasts of the next high, low and close
know something. There a forecast is the best one from a signal, the actual move with noise added: a signal-to-noise of
0.1, a ratio of variances, explains 9 % of what `har` misses. Rules of the default window are measured on more bars than
those with long windows, which take long to fit; the regret of a gate is what it earns a bar less than the best of them,
or than never to trade, mean of the kinds of world.
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
RATIOS = (0.0, 0.05, 0.1, 0.2, 0.5, 1.0)  # signal to noise
REAL, PLANTED = "sample", "s/n {:g}"
RESAMPLES = 2000
BLOCK = 3  # months drawn together
SEED = 7


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


@dataclass(frozen=True)
class World:
    """One kind of world: what all rules earned on some bars, and those of the shortest window on more of them."""

    thin: list[Earned]
    dense: list[Earned]


def worlds(long: bool) -> dict[str, World]:
    """What the rules earned, by kind of world."""
    found = {REAL: World([], [])} | {PLANTED.format(ratio): World([], []) for ratio in RATIOS}
    more = 10 if long else 1
    series: list[tuple[Bars, str, float | None, int, int]] = [(bars, REAL, None, 80, 400) for bars in sample()]
    for seed in range(4):
        paths = simulate(WORLDS["stochastic"], HISTORY + LONGEST + 500, np.random.default_rng([SEED, seed]))
        bars = replace(noise_bars(paths), crypto=seed % 2 == 0)
        series += [(bars, PLANTED.format(ratio), ratio, 50, 250) for ratio in RATIOS]
    for bars, name, ratio, thin, dense in series:
        found[name].thin.append(earned(bars, thinned(bars, more * thin), ratio))
        found[name].dense.append(earned(bars, thinned(bars, more * dense), ratio, MEMORIES[:1]))
    return found


def sample() -> list[Bars]:
    """The daily bars in the package, of symbols that have enough."""
    source = open_source("sample")
    found = [source.load(symbol) for symbol in source.symbols()]
    return [bars for bars in found if len(bars) >= HISTORY + LONGEST + 250]


def thinned(bars: Bars, count: int) -> int:
    """Of how many bars one is evaluated, for about `count` of them."""
    return max(1, (len(bars) - LONGEST - HISTORY) // count)


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


def main() -> int:
    found = worlds(long="--long" in sys.argv[1:])
    base, heads = (
        RULES.index(UNGATED),
        ["rule", f"over argmax at window {UNGATED.window}, sample", "a bar, sample", "orders"],
    )
    print(
        "\n".join(
            f"{name}: {counted(each.dense)} bars, {counted(each.thin)} for all rules" for name, each in found.items()
        )
    )
    print(f"\n| {' | '.join([*heads, *list(found)[1:]])} |\n|{'---|' * (len(heads) + len(RATIOS))}")
    for r, rule in enumerate(RULES):
        real, *planted = (each.dense if rule.window == UNGATED.window else each.thin for each in found.values())
        gain = "0" if r == base else interval(difference(real, r, base))
        traded = np.mean([each.traded[r].mean() for each in real])
        levels = [
            interval(difference(real, r, None)),
            f"{100 * traded:.0f} %",
            *(f"{mean(each, r):+.1f}" for each in planted),
        ]
        print(f"| {' | '.join([rule.name, gain, *levels])} |")
    return verdict({name: each.dense for name, each in found.items()})


def verdict(found: dict[str, list[Earned]]) -> int:
    """The regrets of the gates at the default window, and whether one is less than the default's beyond chance."""
    rules = [r for r, rule in enumerate(RULES) if rule.window == DEFAULT.window]
    level = np.array([[mean(series, r) for series in found.values()] for r in rules] + [[0.0] * len(found)])
    missed = (level.max(0) - level).mean(1)
    default, held = RULES.index(DEFAULT), True
    print(f"\nregret, mean of {len(found)} kinds of world, and what is earned over the default, in bps a bar:")
    for r, regret in zip([*rules, None], missed, strict=True):
        name = "never trade" if r is None else RULES[r].name
        if r == default:
            print(f"{name}: {regret:.1f}, the default")
            continue
        over = [difference(series, default, r) for series in found.values()]
        gain = -float(np.mean([each[0] for each in over]))
        error = float(np.sqrt(sum(((each[2] - each[1]) / 3.92) ** 2 for each in over))) / len(over)
        held &= r is None or gain - 1.96 * error <= 0
        print(f"{name}: {regret:.1f}, {interval((gain, gain - 1.96 * error, gain + 1.96 * error))}")
    print("PASS" if held else "FAIL: another gate is better than the default beyond chance")
    return int(not held)


def mean(series: list[Earned], rule: int) -> float:
    """What a rule earned, mean of the series."""
    return float(np.mean([1e4 * each.profit[rule].mean() for each in series]))


def counted(series: list[Earned]) -> str:
    """How many bars there are."""
    return f"{sum(len(each.month) for each in series):,}"


def interval(found: tuple[float, float, float]) -> str:
    """A mean with the ends of its interval."""
    return "{:+.1f} [{:+.1f}, {:+.1f}]".format(*found)


if __name__ == "__main__":
    sys.exit(main())
