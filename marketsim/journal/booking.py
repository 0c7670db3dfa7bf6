"""Sealed plans on later bars, booked by the fill rules of the backtest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.backtesting.finer_market import finer_moves
from marketsim.data.bars import Bars
from marketsim.data.finer_bars import Inside
from marketsim.execution.bar_variance import path_variance
from marketsim.execution.profit_terms import Costs, Levels, Outcomes
from marketsim.execution.strategies import Legs
from marketsim.execution.track_record import TrackRecord, book
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, MEDIAN, OPEN, actual_moves
from marketsim.journal.entry import Sealed, SealedStrategy

LONG, SHORT = "long", "short"


class PastPlans(Struct, frozen=True):
    """N sealed plans of one symbol whose bar came, in the order of their sessions."""

    bars: Bars
    plans: list[Sealed]
    origins: NDArray[np.int64]  # [N] positions of the bars that they were made after
    levels: Levels  # [N]
    outcomes: Outcomes  # [N]
    moves: NDArray[np.float64]  # [N, 4, Q] sealed quantiles
    actual: NDArray[np.float64]  # [N, 4] moves of open, high, low and close


class Sorted(Struct, frozen=True):
    """Sealed plans of one symbol, by whether their bar came."""

    past: PastPlans
    waiting: list[Sealed]  # their session is not over
    without_bar: list[Sealed]  # it is over, and there is no bar of it


class BookedPlan(Struct, frozen=True):
    """A strategy's sealed plan, and what it came to. Profits are fractions of the origin's close, after costs."""

    sealed: Sealed
    strategy: SealedStrategy
    orders: int
    trades: int
    wins: float
    profits: dict[str, float]  # by fill policy

    @property
    def headline(self) -> float:
        """By the fill policy that was sealed."""
        return self.profits[self.sealed.plan.fill]

    @property
    def profit_bps(self) -> float:
        """The headline in basis points."""
        return 10_000 * self.headline


def sort_plans(sealed: Sequence[Sealed], bars: Bars) -> Sorted:
    """The plans of a symbol, and the bars that came after them, which are the `bars` of today.

    A plan's bar is the one that follows its origin and opens when its session does.
    """
    entries = sorted(sealed, key=lambda entry: entry.plan.session.opens)
    opens, origin = (
        np.array([np.datetime64(text, "s") for text in texts], dtype="datetime64[s]")
        for texts in ([entry.plan.session.opens for entry in entries], [entry.plan.bars.origin for entry in entries])
    )
    at = np.searchsorted(bars.time, opens)
    there = at < len(bars)
    came = there & (at > 0)
    came[came] = (bars.time[at[came]] == opens[came]) & (bars.time[at[came] - 1] == origin[came])
    over = there | np.array([bars.is_past(moment) for moment in opens], dtype=bool)
    kept = [entry for entry, found in zip(entries, came, strict=True) if found]
    return Sorted(
        past=_past(kept, bars, at[came] - 1),
        waiting=[entry for entry, done in zip(entries, over, strict=True) if not done],
        without_bar=[entry for entry, found, done in zip(entries, came, over, strict=True) if done and not found],
    )


def _past(plans: list[Sealed], bars: Bars, origins: NDArray[np.int64]) -> PastPlans:
    moves = np.array([_quantiles(plan) for plan in plans]) if plans else np.zeros((0, 4, len(LEVELS)))
    actual = actual_moves(bars, origins)
    outcomes = Outcomes(open=actual[:, OPEN], high=actual[:, HIGH], low=actual[:, LOW], close=actual[:, CLOSE])
    if not plans:
        nothing = np.zeros(0)
        return PastPlans(bars, plans, origins, Levels(nothing, nothing, nothing, nothing), outcomes, moves, actual)
    variance, spread = path_variance(moves)
    levels = Levels(moves[:, HIGH, MEDIAN], moves[:, LOW, MEDIAN], variance, spread)
    if bars.finer:
        inside = Inside.of(bars, bars.finer, origins + 1)
        outcomes = replace(outcomes, inside=finer_moves(inside, bars.close[origins]))
    return PastPlans(bars, plans, origins, levels, outcomes, moves, actual)


def _quantiles(sealed: Sealed) -> list[list[float]]:
    forecast = sealed.plan.forecast
    return [forecast.open, forecast.high, forecast.low, forecast.close]


def book_plans(past: PastPlans) -> list[BookedPlan]:
    """Book every strategy of every plan, in the order of the sessions."""
    groups: dict[tuple[str, float, float, str], list[tuple[int, SealedStrategy]]] = {}
    for at, sealed in enumerate(past.plans):
        plan = sealed.plan
        for strategy in plan.strategies:
            key = (strategy.strategy, plan.fee_bps, plan.slippage_bps, plan.fill)
            groups.setdefault(key, []).append((at, strategy))
    booked = []
    for (name, fee, slippage, fill), members in groups.items():
        rows = np.array([at for at, _ in members])
        strategies = [strategy for _, strategy in members]
        track = book_legs(past, rows, strategies, Costs.from_bps(fee, slippage), fill, (LONG, SHORT), name)
        booked += [
            (
                int(at),
                BookedPlan(
                    sealed=past.plans[at],
                    strategy=strategy,
                    orders=int(track.orders[i]),
                    trades=int(track.trades[i]),
                    wins=float(track.wins[i]),
                    profits={policy: float(earned[i]) for policy, earned in track.profits.items()},
                ),
            )
            for i, (at, strategy) in enumerate(members)
        ]
    return [row for _, row in sorted(booked, key=lambda pair: (pair[0], pair[1].strategy.strategy))]


def book_legs(
    past: PastPlans,
    rows: NDArray[np.int64],
    strategies: Sequence[SealedStrategy],
    costs: Costs,
    fill: str,
    legs: Sequence[str],
    name: str = "",
) -> TrackRecord:
    """Trade the plans at `rows` `[M]` as their `strategies` `[M]` were sealed, the orders of some `legs` alone."""
    placed = {
        leg: np.array([leg in legs and leg in strategy.side.split(" and ") for strategy in strategies], dtype=bool)
        for leg in (LONG, SHORT)
    }
    multipliers = (
        np.array([strategy.high_multiplier for strategy in strategies]),
        np.array([strategy.low_multiplier for strategy in strategies]),
    )
    at_close = np.array([strategy.close_at_eod for strategy in strategies], dtype=bool)
    wanted = Legs(placed[LONG], placed[SHORT])
    return book(name, past.levels.at(rows), past.outcomes.at(rows), wanted, costs, fill, multipliers, at_close)
