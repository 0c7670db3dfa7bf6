"""Tracks: what a strategy or a baseline did on the evaluated bars, one row a simulation, newest first."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketsim.fills import (
    FILLS,
    Costs,
    Levels,
    Outcomes,
    entered,
    long_leg,
    lower_level,
    one_by_one,
    short_leg,
    upper_level,
)
from marketsim.strategies import Legs
from marketsim.surface import TIE, evaluate


@dataclass(frozen=True, slots=True)
class Fit:
    """What each simulation chose before it saw its bar; one more row than simulations, the last is the plan's."""

    high_multiplier: NDArray[np.float64]  # [S + 1]
    low_multiplier: NDArray[np.float64]  # [S + 1]
    close_at_eod: NDArray[np.bool_]  # [S + 1]
    in_sample: NDArray[np.float64]  # [S + 1] profit on the window, sum of fractions of the closes
    upper: NDArray[np.float64]  # [S + 1] upper level, price units
    lower: NDArray[np.float64]  # [S + 1] lower level, price units
    legs: Legs  # [S + 1]


@dataclass(frozen=True, slots=True)
class Track:
    """Profits are fractions of the close before the bar, after costs; counts are per bar."""

    name: str
    profits: dict[str, NDArray[np.float64]]  # [S] by fill policy
    orders: NDArray[np.int64]  # [S] entries offered
    trades: NDArray[np.int64]  # [S] entries filled
    wins: NDArray[np.int64]  # [S] trades with a profit above zero
    fit: Fit | None = None  # None for baselines, which choose nothing

    @property
    def ambiguous(self) -> NDArray[np.bool_]:
        """Bars `[S]` that cannot tell whether the take-profit was filled."""
        return np.greater(self.profits["touch"], self.profits["provable"] + TIE)


def book(
    name: str,
    levels: Levels,
    bars: Outcomes,
    legs: Legs,
    costs: Costs,
    fill: str,
    multipliers: tuple[NDArray[np.float64], NDArray[np.float64]],
    close_at_eod: NDArray[np.bool_],
    fit: Fit | None = None,
) -> Track:
    """Trade each of S bars once, with its own multipliers `[S]` and closing policy `[S]`; wins count by `fill`."""
    h, l = multipliers
    profits = {policy: np.zeros(len(h)) for policy in FILLS}
    orders, trades, wins = (np.zeros(len(h), np.int64) for _ in range(3))
    for leg, placed in ((long_leg, legs.long), (short_leg, legs.short)):
        if placed is None:
            continue
        filled = placed & entered(leg(levels, bars, costs, fill, False), h, l)
        for policy in FILLS:
            open_end, at_close = (
                evaluate(one_by_one(leg(levels, bars, costs, policy, eod)), h[:, None], l[:, None])[:, 0]
                for eod in (False, True)
            )
            profit = np.where(filled, np.where(close_at_eod, at_close, open_end), 0.0)
            profits[policy] += profit
            if policy == fill:
                wins += filled & (profit > 0)
        orders += placed
        trades += filled
    return Track(name, profits, orders, trades, wins, fit)


def level_prices(
    levels: Levels, close: NDArray[np.float64], h: NDArray[np.float64], l: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper and lower levels in price units, from the origins' closes."""
    return close * (1 + upper_level(levels.high_move, h)), close * (1 + lower_level(levels.low_move, l))
