"""The slow twin of fills on finer bars: every finer bar is replayed, one after the other."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from marketsim.execution.fill_probability import take_profit_probability
from marketsim.execution.finer_bars import FinerBars
from marketsim.execution.profit_terms import Levels, Outcomes
from tests.oracle import CLIPS, below


@dataclass(frozen=True)
class Candle:
    """A bar, as moves from the origin's close."""

    open: float
    high: float
    low: float
    close: float

    @property
    def mirror(self) -> Candle:
        """Upside down, where a short is a long."""
        return Candle(-self.open, -self.low, -self.high, -self.close)


@dataclass(frozen=True)
class Taken:
    """Which part of a take-profit is credited, and whether that is a probability."""

    part: float
    in_doubt: bool = False


@dataclass(frozen=True)
class Day:
    """A bar by its finer ones, and what was forecast of it."""

    finer: tuple[Candle, ...]
    high_move: float
    low_move: float
    variance: float = 9e-4
    spread: float = 0.5

    @property
    def whole(self) -> Candle:
        """The bar that they make."""
        return Candle(
            self.finer[0].open,
            max(each.high for each in self.finer),
            min(each.low for each in self.finer),
            self.finer[-1].close,
        )


def long_taken(day: Day, upper: float, lower: float, fill: str, mirrored: bool = False) -> Taken | None:
    """Which part of a long's take-profit is credited; None where nothing was bought."""
    finer = [each.mirror for each in day.finer] if mirrored else day.finer
    bought = False
    for candle in finer:
        if bought:
            if not below(candle.high, upper) and (fill != "provable" or below(upper, candle.high)):
                return Taken(1.0)
            continue
        if not below(candle.low, lower):
            continue
        bought = True
        w = inside(day, candle, upper, lower, fill, mirrored, later=finer[finer.index(candle) + 1 :])
        if w is not None:
            return w
    return Taken(0.0) if bought else None


def inside(
    day: Day, candle: Candle, upper: float, lower: float, fill: str, mirrored: bool, later: list[Candle]
) -> Taken | None:
    """What the finer bar of the entry credits; None where it credits nothing, and later ones may."""
    if below(candle.high, upper):
        return None
    if fill == "touch":
        return Taken(1.0)
    sure = below(candle.open, lower) or not below(candle.close, upper)
    if fill == "provable":
        return Taken(1.0) if sure and below(upper, candle.high) else None
    if sure:
        return Taken(1.0)
    if not below(lower, candle.open):
        return Taken(1.0, in_doubt=True)  # at the very open w is one, as a limit
    if any(not below(each.high, upper) for each in later):
        return None
    sign = -1 if mirrored else 1
    prices = (candle.open, candle.high, candle.low, candle.close, lower, min(upper, candle.high))
    logs = (sign * math.log1p(sign * move) for move in prices)
    w = take_profit_probability(*map(np.array, logs), day.variance / len(day.finer), day.spread)
    return Taken(float(w), in_doubt=True)


def long_levels(day: Day, h: float, l: float) -> tuple[float, float]:
    """The take-profit and the entry of a long."""
    upper, lower = day.high_move + h, day.low_move + l
    return min(max(upper, CLIPS[0][0]), CLIPS[0][1]), min(max(lower, CLIPS[1][0]), CLIPS[1][1])


def arrays(days: list[Day]) -> tuple[Levels, Outcomes]:
    """Days as the package has them; shorter ones repeat their close."""
    width = max(len(day.finer) for day in days)
    padded = [[*day.finer, *[Candle(*4 * [day.whole.close])] * (width - len(day.finer))] for day in days]
    prices = np.array([[[c.open, c.high, c.low, c.close] for c in row] for row in padded])
    count = np.array([len(day.finer) for day in days])
    share = (np.arange(width) < count[:, None]) / count[:, None]
    finer = FinerBars(*np.moveaxis(prices, 2, 0), share, count)
    whole = np.array([[day.whole.open, day.whole.high, day.whole.low, day.whole.close] for day in days])
    columns = np.array([[day.high_move, day.low_move, day.variance, day.spread] for day in days])
    return Levels(*columns.T), Outcomes(*whole.T, finer)
