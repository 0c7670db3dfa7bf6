"""Bars of noise whose paths are known, and what a path pays that the bars then hide.

A path has 5,000 steps a bar, and every step's own extremes are drawn from the law of the Brownian bridge, so that it
misses nothing between its steps. Prices are martingales but where a world says otherwise: nothing can be earned.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.profit_terms import Costs, Outcomes

STEPS = 5_000
VOLATILITY = 0.03  # of a bar, without its gap
PARTS = 50  # of a bar, each with a volatility of its own where that is stochastic

Array = NDArray[np.float64]
Steps = NDArray[np.float32]  # [N, STEPS]


@dataclass(frozen=True)
class World:
    """How the variance of a bar flows: in expectation `VOLATILITY ** 2` from open to close."""

    gap: float = 0.0025  # deviation of the open from the last close
    daily: float = 0.0  # deviation of the log volatility of bars
    hourly: float = 0.0  # and of its change from part to part of a bar
    jumps: float = 0.0  # share of the variance that comes in jumps, one a bar on average

    @property
    def stochastic(self) -> bool:
        """Whether variance varies from bar to bar, then also with the hour and from step to step."""
        return self.daily > 0


WORLDS = {
    "brownian": World(),
    "stochastic": World(daily=0.25, hourly=0.07),
    "jumps": World(jumps=0.3),
    "gaps": World(gap=0.015),
    "even": World(daily=0.36),
    "uneven": World(daily=0.05, hourly=0.12),
}


@dataclass(frozen=True)
class Paths:
    """Log prices from the last close: of the N opens and closes, and of the ends that each step reached inside."""

    open: Array  # [N]
    close: Array  # [N]
    variance: Array  # [N] that flowed from open to close, without jumps
    highs: Steps  # from the open
    lows: Steps  # from the open
    ends: Steps  # of the steps, from the open

    @cached_property
    def outcomes(self) -> Outcomes:
        """The bars that hide the paths."""
        high = np.maximum(self.open + self.highs.max(1), np.maximum(self.open, self.close))
        low = np.minimum(self.open + self.lows.min(1), np.minimum(self.open, self.close))
        return Outcomes(np.expm1(self.open), np.expm1(high), np.expm1(low), np.expm1(self.close))

    def mirrored(self) -> Paths:
        """The paths upside down."""
        return Paths(-self.open, -self.close, self.variance, -self.lows, -self.highs, -self.ends)

    def at(self, index: slice) -> Paths:
        """Some of the paths."""
        return Paths(*(getattr(self, field.name)[index] for field in fields(self)))

    def finer(self, parts: int) -> Array:
        """The finer bars `[N, parts, 4]` that the paths make: log prices from the last close."""
        ends = np.linspace(0, STEPS, parts + 1).round().astype(int)
        closes = self.open[:, None] + self.ends[:, ends[1:] - 1]
        closes[:, -1] = self.close
        opens = np.concatenate([self.open[:, None], closes[:, :-1]], 1)
        highs, lows = (
            self.open[:, None] + extreme.reduceat(steps, ends[:-1], axis=1)
            for extreme, steps in ((np.maximum, self.highs), (np.minimum, self.lows))
        )
        high = np.maximum(np.maximum(highs, opens), closes)
        return np.stack([opens, high, np.minimum(np.minimum(lows, opens), closes), closes], 2)

    def taken(self, lower: Array, upper: Array) -> NDArray[np.bool_]:
        """Whether a long bought at log price `lower` `[N]` or better reached `upper` `[N]` later."""
        at_open = self.open < lower
        below = self.lows < (lower - self.open).astype(np.float32)[:, None]
        first = np.where(at_open, 0, below.argmax(1) + 1)  # the step that bought is over
        bought = np.flatnonzero(at_open | below.any(1))
        taken = np.zeros(len(self.open), bool)
        reach = (upper - self.open).astype(np.float32)
        for n in bought:
            taken[n] = (self.highs[n, first[n] :] >= reach[n]).any()
        return taken


def simulate(world: World, bars: int, rng: np.random.Generator, volatility: Array | float = VOLATILITY) -> Paths:
    """`bars` independent bars of a world; `volatility` is one for all, or `[bars]`."""
    shape, single = (bars, STEPS), np.float32
    every = np.broadcast_to(volatility, (bars,))[:, None]
    variance = (every**2 * (1 - world.jumps) / STEPS).astype(single)
    if world.stochastic:
        variance = variance * _flow(world, bars, rng)
    step = rng.standard_normal(shape, single) * np.sqrt(variance)
    path = step - variance / 2  # the mean of the price stays
    if world.jumps:
        size = VOLATILITY * np.sqrt(world.jumps)
        jumps = rng.standard_normal(shape, single) * single(size) - single(size**2 / 2)
        path += np.where(rng.random(shape, single) < 1 / STEPS, jumps, single(0))
    path = np.cumsum(path, 1)
    middle, square = path - step / 2, step * step / 4
    up, down = (np.sqrt(square + rng.standard_exponential(shape, single) * (variance / 2)) for _ in range(2))
    open = world.gap * rng.standard_normal(bars) - world.gap**2 / 2
    inside = (prices.astype(single, copy=False) for prices in (middle + up, middle - down, path))
    flowed = np.broadcast_to(variance, shape).sum(1, dtype=np.float64)
    return Paths(open, open + path[:, -1], flowed, *inside)


def _flow(world: World, bars: int, rng: np.random.Generator) -> Steps:
    """Each step's variance `[bars, STEPS]` over the mean one: log-normal bars and hours, a busy open and close, tails.

    The steps are Student's t with 4 degrees of freedom, Gaussian given their variance: on its own clock the path is
    Brownian, and continuous.
    """
    hour = np.arange(PARTS)
    busy = 0.5 + 6 * (hour / (PARTS - 1) - 0.5) ** 2
    log_volatility = world.hourly * np.cumsum(
        rng.standard_normal((bars, PARTS)), 1
    ) + world.daily * rng.standard_normal((bars, 1))
    mean = (busy * np.exp((world.daily**2 + world.hourly**2 * (hour + 1)) * 2)).mean()
    flow = np.repeat((busy / mean * np.exp(2 * log_volatility)).astype(np.float32), STEPS // PARTS, axis=1)
    uneven: Steps = flow / rng.standard_exponential((2, bars, STEPS), np.float32).sum(0)  # 1 / gamma(2) has mean 1
    return uneven


def path_profit(
    paths: Paths, short: bool, lower: Array, upper: Array, closing: NDArray[np.bool_], costs: Costs
) -> tuple[Array, Array]:
    """What longs, or shorts, `[N]` between moves `lower` and `upper` were paid after costs, and the costs.

    Both are 0 where nothing was entered. Where `closing` `[N]` is set there is no take-profit.
    """
    did, fee = paths.outcomes, costs.fee
    if short:
        entered, taken = did.high > upper, paths.mirrored().taken(-np.log1p(upper), -np.log1p(lower))
        entry, end = 1 + np.maximum(upper, did.open), np.where(taken & ~closing, lower, did.close) + 1
    else:
        entered, taken = did.low < lower, paths.taken(np.log1p(lower), np.log1p(upper))
        entry, end = 1 + np.minimum(lower, did.open), np.where(taken & ~closing, upper, did.close) + 1
    slippage = np.where(taken & ~closing, 0.0, costs.slippage)
    at_end = (1 + slippage) * (1 + fee) - 1 if short else 1 - (1 - slippage) * (1 - fee)
    cost = np.where(entered, fee * entry + at_end * end, 0.0)
    return np.where(entered, (entry - end if short else end - entry), 0.0) - cost, cost
