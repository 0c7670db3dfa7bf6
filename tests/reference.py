"""The slow twins: the market's rules as plain loops over bars and candidates, to compare the package with."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

CLIPS = (0.0, 10.0), (-1.0, 0.0)


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


@dataclass(frozen=True)
class Rules:
    fee: float
    slippage: float
    fill: str
    close_at_eod: bool


def levels(bar: Bar, h: float, l: float) -> tuple[float, float]:
    return (
        min(max(bar.high_move + h, CLIPS[0][0]), CLIPS[0][1]),
        min(max(bar.low_move + l, CLIPS[1][0]), CLIPS[1][1]),
    )


def long_trade(bar: Bar, upper: float, lower: float, rules: Rules) -> float | None:
    """Profit of a long, None where it was not entered."""
    if not bar.low < lower:
        return None
    entry, at_open = (bar.open, True) if bar.open < lower else (lower, False)
    if rules.close_at_eod:
        taken = False
    elif rules.fill == "touch":
        taken = bar.high >= upper
    else:
        taken = bar.high > upper and (at_open or bar.close >= upper)
    proceeds = 1 + upper if taken else (1 + bar.close) * (1 - rules.slippage)
    return proceeds * (1 - rules.fee) - (1 + entry) * (1 + rules.fee)


def short_trade(bar: Bar, upper: float, lower: float, rules: Rules) -> float | None:
    """Profit of a short, None where it was not entered."""
    if not bar.high > upper:
        return None
    entry, at_open = (bar.open, True) if bar.open > upper else (upper, False)
    if rules.close_at_eod:
        taken = False
    elif rules.fill == "touch":
        taken = bar.low <= lower
    else:
        taken = bar.low < lower and (at_open or bar.close <= lower)
    cost = 1 + lower if taken else (1 + bar.close) * (1 + rules.slippage)
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


def candidates(
    bars: list[Bar], bounds: tuple[tuple[float, float], tuple[float, float]], step: float
) -> tuple[list[float], list[float]]:
    """All places where an optimum can be: just inside of where a level meets an actual price, bounds, zero."""
    axes = []
    for (low, high), sign, move in ((bounds[0], -1, "high_move"), (bounds[1], 1, "low_move")):
        points = {low, high, min(max(0.0, low), high)}
        for bar in bars:
            for price in (bar.open, bar.high, bar.low, bar.close):
                meeting = price - getattr(bar, move)
                if low - step <= meeting <= high + step:  # a bound may miss its meeting by a rounding
                    points.add(min(max(meeting + sign * step, low), high))
        axes.append(sorted(points))
    return axes[0], axes[1]


def brute_force(
    bars: list[Bar], bounds: tuple[tuple[float, float], tuple[float, float]], rules: Rules, step: float = 1e-7
) -> float:
    """The best profit over every candidate."""
    return max(profit(bars, h, l, rules) for h, l in itertools.product(*candidates(bars, bounds, step)))
