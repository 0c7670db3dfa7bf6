"""The slow twins: the market's rules as plain loops over bars and candidates, to compare the package with."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from marketsim.execution.fill_probability import take_profit_probability

CLIPS = (0.0, 10.0), (-1.0, 0.0)
TOUCH = 1e-13  # sums of decimals that are equal differ by less


@dataclass(frozen=True)
class Bar:
    """One bar and its forecast, as moves from the origin's close."""

    high_move: float
    low_move: float
    open: float
    high: float
    low: float
    close: float
    long: bool = True
    short: bool = False
    variance: float = 9e-4
    spread: float = 0.5

    @property
    def mirror(self) -> Bar:
        """The bar upside down, where a short is a long."""
        turned = (-self.low_move, -self.high_move, -self.open, -self.low, -self.high, -self.close)
        return Bar(*turned, self.short, self.long, self.variance, self.spread)


@dataclass(frozen=True)
class Rules:
    fee: float
    slippage: float
    fill: str
    close_at_eod: bool


def below(a: float, b: float) -> bool:
    return a < b - TOUCH


def levels(bar: Bar, h: float, l: float) -> tuple[float, float]:
    return (
        min(max(bar.high_move + h, CLIPS[0][0]), CLIPS[0][1]),
        min(max(bar.low_move + l, CLIPS[1][0]), CLIPS[1][1]),
    )


def taken(bar: Bar, upper: float, lower: float, at_open: bool, rules: Rules, mirrored: bool = False) -> float:
    """Which part of a long's take-profit is credited to a bar on which it was entered."""
    if rules.close_at_eod or below(bar.high, upper):
        return 0.0
    if rules.fill == "touch" or (rules.fill == "expected" and (at_open or not below(bar.close, upper))):
        return 1.0
    if rules.fill == "provable":
        return float(below(upper, bar.high) and (at_open or not below(bar.close, upper)))
    if not below(lower, bar.open):
        return 1.0
    return float(probability(bar, min(upper, bar.high), lower, mirrored))


def probability(bar: Bar, upper: float, lower: float, mirrored: bool) -> np.ndarray:
    sign = -1 if mirrored else 1
    logs = (sign * math.log1p(sign * move) for move in (bar.open, bar.high, bar.low, bar.close, lower, upper))
    return take_profit_probability(*map(np.array, logs), bar.variance, bar.spread)


def long_trade(bar: Bar, upper: float, lower: float, rules: Rules) -> float | None:
    """Profit of a long, None where it was not entered."""
    if not below(bar.low, lower):
        return None
    entry, at_open = (bar.open, True) if below(bar.open, lower) else (lower, False)
    w = taken(bar, upper, lower, at_open, rules)
    proceeds = w * (1 + upper) + (1 - w) * (1 + bar.close) * (1 - rules.slippage)
    return proceeds * (1 - rules.fee) - (1 + entry) * (1 + rules.fee)


def short_trade(bar: Bar, upper: float, lower: float, rules: Rules) -> float | None:
    """Profit of a short, None where it was not entered."""
    if not below(upper, bar.high):
        return None
    entry, at_open = (bar.open, True) if below(upper, bar.open) else (upper, False)
    w = taken(bar.mirror, -lower, -upper, at_open, rules, mirrored=True)
    cost = w * (1 + lower) + (1 - w) * (1 + bar.close) * (1 + rules.slippage)
    return (1 + entry) * (1 - rules.fee) - cost * (1 + rules.fee)


def profit(bars: list[Bar], h: float, l: float, rules: Rules) -> float:
    total = 0.0
    for bar in bars:
        upper, lower = levels(bar, h, l)
        if bar.long:
            total += long_trade(bar, upper, lower, rules) or 0.0
        if bar.short:
            total += short_trade(bar, upper, lower, rules) or 0.0
    return total


def t_statistic(profits: list[float], weights: list[float]) -> float:
    """Mean over standard error of a window's profits a bar, by the effective number of bars."""
    total = sum(weights)
    effective = total**2 / sum(w**2 for w in weights)
    if effective <= 1 + 1e-9:
        return 0.0
    mean = sum(w * x for w, x in zip(weights, profits, strict=True)) / total
    variance = sum(w * (x - mean) ** 2 for w, x in zip(weights, profits, strict=True)) / total
    if variance < 1e-24:
        return 0.0 if abs(mean) < 1e-12 else math.copysign(math.inf, mean)
    return mean / math.sqrt(variance / (effective - 1))


def candidates(
    bars: list[Bar], bounds: tuple[tuple[float, float], tuple[float, float]], step: float
) -> tuple[list[float], list[float]]:
    """All places where an optimum can be: where a level meets an actual price and just inside of it, bounds, zero."""
    ties = any(bar.long for bar in bars) and any(bar.short for bar in bars)
    axes = []
    for (low, high), sign, move in ((bounds[0], -1, "high_move"), (bounds[1], 1, "low_move")):
        points = {low, high, min(max(0.0, low), high)}
        for bar in bars:
            for price in (bar.open, bar.high, bar.low, bar.close):
                meeting = price - getattr(bar, move)
                if low - step <= meeting <= high + step:  # a bound may miss its meeting by a rounding
                    points |= {min(max(x, low), high) for x in (meeting + sign * step, *(ties * [meeting]))}
        axes.append(sorted(points))
    return axes[0], axes[1]


def apart(traded: Bar, h: float, l: float) -> float:
    """How far apart the levels of the bar to be traded lie."""
    upper, lower = levels(traded, h, l)
    return upper - lower


def brute_force_above(
    bars: list[Bar],
    bounds: tuple[tuple[float, float], tuple[float, float]],
    rules: Rules,
    traded: Bar,
    distance: float,
    step: float = 1e-7,
) -> float:
    """The best profit under `touch` and `provable` over all places that keep the distance; -inf where none does."""
    axis_h, axis_l = candidates(bars, bounds, step)
    free_h = min(max(distance - traded.high_move, bounds[0][0]), bounds[0][1])
    free_l = min(max(-distance - traded.low_move, bounds[1][0]), bounds[1][1])
    offset = distance + traded.low_move - traded.high_move
    places = list(itertools.product([*axis_h, free_h], [*axis_l, free_l]))
    places += [(min(max(l + offset, bounds[0][0]), bounds[0][1]), l) for l in axis_l]
    places += [(h, min(max(h - offset, bounds[1][0]), bounds[1][1])) for h in axis_h]
    return max(
        (profit(bars, h, l, rules) for h, l in places if not below(apart(traded, h, l), distance)), default=-math.inf
    )


def brute_force(
    bars: list[Bar], bounds: tuple[tuple[float, float], tuple[float, float]], rules: Rules, step: float = 1e-7
) -> float:
    """The best profit over every candidate, under `touch` and `provable`."""
    return max(profit(bars, h, l, rules) for h, l in itertools.product(*candidates(bars, bounds, step)))
