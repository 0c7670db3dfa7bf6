"""Track records: the results of a strategy or a baseline on the evaluated bars, newest first."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.evaluation import evaluate
from marketsim.execution.fills import Multipliers, long_leg, short_leg
from marketsim.execution.profit_terms import (
    Costs,
    Levels,
    Outcomes,
    entered,
    lower_level,
    one_by_one,
    upper_level,
)
from marketsim.execution.strategies import Legs
from marketsim.execution.tolerance import without_rounding
from marketsim.settings.choices import EXPECTED, FILLS, PROVABLE, TOUCH


class Fit(Struct, frozen=True):
    """What each simulation chose before it saw its bar; one more row than simulations, the last is the plan's."""

    high_multiplier: NDArray[np.float64]  # [S + 1]
    low_multiplier: NDArray[np.float64]  # [S + 1]
    close_at_eod: NDArray[np.bool_]  # [S + 1]
    in_sample: NDArray[np.float64]  # [S + 1] profit on the window, sum of fractions of the closes
    t: NDArray[np.float64]  # [S + 1] of the mean profit a bar on the window; NaN if no take-profit covers the costs
    stood_aside: NDArray[np.bool_]  # [S + 1] an order of the strategy that was not placed, for t was too low or NaN
    upper: NDArray[np.float64]  # [S + 1] upper level, price units
    lower: NDArray[np.float64]  # [S + 1] lower level, price units
    legs: Legs  # [S + 1] the orders that were placed


class TrackRecord(Struct, frozen=True):
    """Profits are fractions of the close before the bar, after costs; counts are per bar."""

    name: str
    profits: dict[str, NDArray[np.float64]]  # [S] by fill policy
    orders: NDArray[np.int64]  # [S] entries offered
    trades: NDArray[np.int64]  # [S] entries filled
    wins: NDArray[np.float64]  # [S] trades with a profit above zero; those in doubt by their probability

    @property
    def ambiguous(self) -> NDArray[np.bool_]:
        """Bars `[S]` that cannot tell whether the take-profit was filled."""
        return without_rounding(self.profits[TOUCH] - self.profits[PROVABLE]) > 0

    @property
    def probability(self) -> NDArray[np.float64]:
        """On ambiguous bars `[S]` the probability w that the take-profit was filled, NaN on the others.

        Where a long and a short are both in doubt, it is their mean, weighted by what is at stake.
        """
        return _credited(self.profits)


class FittedTrackRecord(TrackRecord, frozen=True):
    """What a strategy did, and what it had chosen to do; baselines choose nothing."""

    fit: Fit


def book(
    name: str,
    levels: Levels,
    bars: Outcomes,
    legs: Legs,
    costs: Costs,
    fill: str,
    multipliers: Multipliers,
    close_at_eod: NDArray[np.bool_],
) -> TrackRecord:
    """Trade each of S bars once, with its own multipliers `[S]` and closing policy `[S]`; wins count by `fill`."""
    h, l = multipliers
    profits = {policy: np.zeros(len(h)) for policy in FILLS}
    orders, trades = (np.zeros(len(h), np.int64) for _ in range(2))
    wins = np.zeros(len(h))
    for make_leg, placed in ((long_leg, legs.long), (short_leg, legs.short)):
        if placed is None or not placed.any():
            continue
        earned = {}
        for policy in FILLS:
            leg = make_leg(levels, bars, costs, policy, multipliers)
            filled = placed & entered(leg, h, l)
            open_end, at_close = (
                evaluate(one_by_one(terms), h[:, None], l[:, None])[:, 0] for terms in (leg, leg.at_close())
            )
            earned[policy] = np.where(filled, np.where(close_at_eod, at_close, open_end), 0.0)
            profits[policy] += earned[policy]
        wins += _won(earned, fill)
        orders += placed
        trades += filled
    return TrackRecord(name, profits, orders, trades, wins)


def _credited(profits: Mapping[str, NDArray[np.float64]]) -> NDArray[np.float64]:
    """Which part `expected` credits of what is open between `provable` and `touch`, NaN where nothing is."""
    least, credited, most = profits[PROVABLE], profits[EXPECTED], profits[TOUCH]
    gained, missed = (np.maximum(without_rounding(part), 0.0) for part in (credited - least, most - credited))
    share: NDArray[np.float64] = gained / np.where(without_rounding(most - least) > 0, gained + missed, np.nan)
    return share


def _won(profits: Mapping[str, NDArray[np.float64]], fill: str) -> NDArray[np.float64]:
    """Whether one leg's trades `[S]` had a profit; under `expected` how likely."""
    won = {policy: np.where(without_rounding(profits[policy]) > 0, 1.0, 0.0) for policy in FILLS}
    if fill == EXPECTED:
        won[EXPECTED] = won[PROVABLE] + np.nan_to_num(_credited(profits)) * (won[TOUCH] - won[PROVABLE])
    return won[fill]


def level_prices(
    levels: Levels, close: NDArray[np.float64], h: NDArray[np.float64], l: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Upper and lower levels in price units, from the origins' closes."""
    return close * (1 + upper_level(levels.high_move, h)), close * (1 + lower_level(levels.low_move, l))
