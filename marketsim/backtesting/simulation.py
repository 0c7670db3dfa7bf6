"""One symbol's market and its walk: fit every window, trade every evaluated bar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.backtesting.costs import fee_bps
from marketsim.backtesting.gate import stands_aside
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import Walk
from marketsim.execution.bar_variance import path_variance
from marketsim.execution.baselines import buy_and_hold, forecast_close
from marketsim.execution.fills import profit_terms
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import TIE, Costs, Levels, Outcomes, ProfitTerms
from marketsim.execution.strategies import STRATEGIES, Legs
from marketsim.execution.track_record import Fit, FittedTrackRecord, TrackRecord, book, level_prices
from marketsim.execution.windows import Windows, age_weights
from marketsim.forecasting.forecasts import CLOSE, HIGH, LOW, OPEN, Forecasts, actual_moves
from marketsim.optimizers import Optimizer
from marketsim.optimizers.window_fit import fit_several
from marketsim.profiling import part
from marketsim.results.schema import FineFacts
from marketsim.settings.choices import AT_CLOSE, CLOSE_AT_EOD, EVERY_STRATEGY
from marketsim.settings.groups import CostSettings, TradingRules

POLICIES = dict(zip(CLOSE_AT_EOD, ((True, False), (True,), (False,)), strict=True))  # ties go to the first


class Market(Struct, frozen=True):
    """The bars of a walk, what was forecast of them and what they did, and what a trade costs."""

    bars: Bars
    walk: Walk
    forecasts: Forecasts  # at the N origins of the walk
    levels: Levels  # [N] before the multipliers
    outcomes: Outcomes  # [N - 1], for the bar after the last origin is not known
    fee_bps: float  # a side
    costs: Costs
    fine: FineFacts | None = None  # what finer bars tell of the outcomes

    @classmethod
    def of(cls, bars: Bars, walk: Walk, forecasts: Forecasts, costs: CostSettings) -> Market:
        """The market of a symbol."""
        variance, spread = path_variance(forecasts.moves)
        levels = Levels(high_move=forecasts.high, low_move=forecasts.low, variance=variance, spread=spread)
        moves = actual_moves(bars, walk.origins[:-1])
        outcomes = Outcomes(open=moves[:, OPEN], high=moves[:, HIGH], low=moves[:, LOW], close=moves[:, CLOSE])
        fee, fine = fee_bps(bars.crypto, costs), None
        if bars.finer:
            from marketsim.backtesting.finer_market import with_order  # most runs have none

            outcomes, fine = with_order(outcomes, bars, walk.origins[:-1], levels.at(slice(-1)))
        return cls(bars, walk, forecasts, levels, outcomes, fee, Costs.from_bps(fee, costs.slippage_bps), fine)

    @property
    def traded(self) -> NDArray[np.int64]:
        """The positions `[S + 1]` of the bars that the windows are fitted for."""
        return np.append(self.walk.evaluated, len(self.walk.origins) - 1)

    @property
    def floor(self) -> Floor:
        """How near a take-profit may lie to its entry, on each of those bars."""
        at = self.levels.at(self.traded)
        return Floor(high_move=at.high_move, low_move=at.low_move, distance=self.costs.round_trip)

    def legs(self, strategy: str) -> Legs:
        """Where a strategy places orders, at the N origins."""
        return STRATEGIES[strategy](self.levels.high_move, self.levels.low_move, not self.bars.crypto)


def strategies_of(rules: TradingRules) -> list[str]:
    """The names of the strategies that the rules ask for."""
    return list(STRATEGIES) if rules.strategy == EVERY_STRATEGY else [rules.strategy]


def fit_strategies(
    names: Sequence[str], market: Market, rules: TradingRules, optimizer: Optimizer, seed: int
) -> tuple[dict[str, Fit], int]:
    """Fit every strategy and exit policy on every window; each row takes the policy with the higher booked profit.

    Where that policy's t on the window is below `rules.min_t`, or where no take-profit inside the bounds pays the costs
    and no other exit is allowed, no order is placed. Returns the fits by strategy, and how many problems another
    optimizer had to finish.
    """
    walk, policies = market.walk, POLICIES[rules.close_at_eod]
    terms = market_terms(market, rules)
    origins = market.traded
    at, close = market.levels.at(origins), market.bars.close[walk.origins[origins]]
    row = np.arange(len(origins))
    several = [windows_of(market.legs(name), market, rules, eod) for name in names for eod in policies]
    every = iter(fit_several(several, terms, optimizer, (rules.bounds, rules.bounds), seed))
    fits, fallbacks = {}, 0
    for name in names:
        legs = market.legs(name)
        found = [next(every) for _ in policies]
        in_sample = np.stack([fit.in_sample for fit in found])
        allowed = np.stack([fit.allowed for fit in found])
        worth = np.where(allowed, in_sample, -np.inf)
        better = np.argmax(worth >= worth.max(0) - TIE, axis=0)
        t = np.where(allowed[better, row], np.stack([fit.t for fit in found])[better, row], np.nan)
        wanted = legs.at(origins)
        aside = stands_aside(t, rules.min_t) & wanted.any
        h = np.stack([fit.high_multiplier for fit in found])[better, row]
        l = np.stack([fit.low_multiplier for fit in found])[better, row]
        upper, lower = level_prices(at, close, h, l)
        fits[name] = Fit(
            high_multiplier=h,
            low_multiplier=l,
            close_at_eod=np.array(policies)[better],
            in_sample=in_sample[better, row],
            t=t,
            stood_aside=aside,
            upper=upper,
            lower=lower,
            legs=wanted.where(~aside),
        )
        fallbacks += sum(fit.fallbacks for fit in found)
    return fits, fallbacks


def market_terms(market: Market, rules: TradingRules) -> ProfitTerms:
    """The terms `[N - 1]` of all bars whose outcome is known, for every strategy."""
    with part("terms"):
        levels, shortable = market.levels.at(slice(-1)), not market.bars.crypto
        return profit_terms(levels, market.outcomes, market.costs, rules.fill, shortable)


def windows_of(legs: Legs, market: Market, rules: TradingRules, close_at_eod: bool) -> Windows:
    """The windows of all simulations and of the plan, for a strategy's legs `[N]` and a closing policy."""
    known = slice(-1)
    return Windows(
        levels=market.levels.at(known),
        outcomes=market.outcomes,
        legs=legs.at(known),
        costs=market.costs,
        fill=rules.fill,
        close_at_eod=close_at_eod,
        rows=market.walk.windows,
        floor=None if close_at_eod else market.floor,
        weights=age_weights(market.walk.windows.shape[1], rules.half_life),
    )


def simulate(
    fits: dict[str, Fit], market: Market, rules: TradingRules
) -> tuple[list[FittedTrackRecord], list[TrackRecord]]:
    """Trade every evaluated bar once with the multipliers of its simulation; then the baselines on the same bars."""
    bars, costs, evaluated = market.bars, market.costs, market.walk.evaluated
    at, then = market.levels.at(evaluated), market.outcomes.at(evaluated)
    zeros = np.zeros(len(evaluated))
    tracks: list[FittedTrackRecord] = []
    baselines: list[TrackRecord] = []
    for name, fit in fits.items():
        wanted = market.legs(name).at(evaluated)  # what is not fitted never stands aside
        chosen = (fit.high_multiplier[:-1], fit.low_multiplier[:-1])
        track = book(name, at, then, fit.legs.at(slice(-1)), costs, rules.fill, chosen, fit.close_at_eod[:-1])
        tracks.append(FittedTrackRecord(name, track.profits, track.orders, track.trades, track.wins, fit))
        unfitted = f"{name} unfitted" if len(fits) > 1 else "unfitted"
        eod = np.full(len(zeros), rules.close_at_eod == AT_CLOSE)
        baselines.append(book(unfitted, at, then, wanted, costs, rules.fill, (zeros, zeros), eod))
    close = bars.close[len(bars) - 1 - len(zeros) :]
    predicted = market.forecasts.close[evaluated[::-1]]
    baselines.append(forecast_close(close, predicted, not bars.crypto, costs))
    baselines.append(buy_and_hold(close, costs))
    return tracks, baselines
