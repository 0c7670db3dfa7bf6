"""Profit over the multipliers of each window, and the chosen ones."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.backtesting.simulation import Market, market_terms, windows_of
from marketsim.execution.evaluation import evaluate
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.execution.track_record import FittedTrackRecord
from marketsim.execution.windows import age_weights
from marketsim.results.charts import FittedWindow, StrategyObjective
from marketsim.results.document import tick_of
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.groups import TradingRules

STEP = 0.1  # basis points a bar that surfaces are rounded to
COARSE_STEP = 0.5
MOST = 500  # windows that have a surface, the newest among them
TOGETHER = 1 << 18  # profits that are evaluated at once, which bounds memory
PLATEAU = 0.9  # of the optimum

Floats = NDArray[np.float64]


class Surfaces(Struct, frozen=True):
    """Profit over both multipliers, for the strategies of a symbol."""

    market: Market
    rules: TradingRules
    shown: NDArray[np.int64]  # which windows have a surface, oldest first
    places: int
    step: float  # basis points a bar

    @classmethod
    def of(cls, market: Market, rules: TradingRules, places: int) -> Surfaces:
        """Surfaces of `places` along each multiplier, between the bounds."""
        step = STEP if places > 20 else COARSE_STEP
        return cls(market, rules, _shown(len(market.walk.windows)), places, step)

    def strategies(self, tracks: Sequence[FittedTrackRecord]) -> Iterator[tuple[StrategyObjective, NDArray[np.int16]]]:
        """The fits of each strategy, oldest first, and the surfaces `[windows, l, h]` that they were chosen on.

        Surfaces are whole numbers of `step`, each as the difference from the one before in time, in `l` and in `h`,
        modulo 2 ** 16: so they take a third of the room.
        """
        for track, profits in zip(tracks, self._profits(tracks), strict=True):
            windows = self._windows(track, profits)
            differences = np.rint(profits / self.step).astype(np.int64).reshape(-1, self.places, self.places)
            for axis in range(3):
                differences = np.diff(differences, axis=axis, prepend=0)
            yield StrategyObjective(track.name, windows), differences.astype(np.int16)

    def _profits(self, tracks: Sequence[FittedTrackRecord]) -> Floats:
        """Basis points a bar `[strategies, windows, places]`, by the policy that each fit chose; `h` runs fastest."""
        along = np.linspace(*self.rules.bounds, self.places)
        l, h = (grid.ravel() for grid in np.meshgrid(along, along, indexing="ij"))
        terms, rows = market_terms(self.market, self.rules), self.market.walk.windows[self.shown]
        weights = age_weights(rows.shape[1], self.rules.half_life)
        share = np.zeros((len(rows), len(terms)))
        np.put_along_axis(share, rows, 1.0 if weights is None else weights, axis=1)
        profits = np.zeros((len(tracks), len(rows), len(h)))
        size = max(1, TOGETHER // len(h))
        for first, policy in itertools.product(range(0, len(terms), size), (True, False)):
            some = slice(first, first + size)
            for leg in (terms.at_close() if policy else terms).legs:
                earned = evaluate(ProfitTerms((leg,)).at(some).at((slice(None), None)), h[None], l[None])
                for profit, track in zip(profits, tracks, strict=True):
                    legs, chosen = self.market.legs(track.name), track.fit.close_at_eod[self.shown] == policy
                    placed = legs.short if leg.mirrored else legs.long
                    if placed is not None:
                        profit[chosen] += (share[chosen, some] * placed[:-1][some]) @ earned
        bps: Floats = BASIS_POINTS * profits / rows.shape[1]
        return bps

    def _windows(self, track: FittedTrackRecord, surfaces: Floats) -> list[FittedWindow]:
        fit, bars, walk, window = track.fit, self.market.bars, self.market.walk, self.market.walk.windows.shape[1]
        profit = BASIS_POINTS * fit.in_sample / window
        shown, away = self.shown, self._a_tick_away(track)
        offset = self.market.floor.offset
        origins = walk.origins[self.market.traded]
        following = bars.names(bars.next_opens(1))
        names = [*bars.names(bars.time[origins[:-1] + 1]).tolist(), str(following[0])]
        plateau = (surfaces >= PLATEAU * profit[shown, None]).mean(1)
        return [
            FittedWindow(
                bar=names[s],
                h=float(fit.high_multiplier[s]),
                l=float(fit.low_multiplier[s]),
                close_at_eod=bool(fit.close_at_eod[s]),
                profit_bps=float(profit[s]),
                t=float(fit.t[s]) if np.isfinite(fit.t[s]) else None,
                stood_aside=bool(fit.stood_aside[s]),
                tick_away_bps=away[i].tolist(),
                floor=None if fit.close_at_eod[s] else float(offset[s]),
                plateau=float(plateau[i]) if profit[s] > 0 else None,
            )
            for i, s in enumerate(shown.tolist())
        ]

    def _a_tick_away(self, track: FittedTrackRecord) -> Floats:
        """In-sample profit `[windows, 4]`, bps a bar, with one level of the traded bar a tick higher or lower."""
        fit, market, shown = track.fit, self.market, self.shown
        bars, window = market.bars, market.walk.windows.shape[1]
        tick = tick_of(bars) / bars.close[market.walk.origins[market.traded]]
        found = np.zeros((len(shown), 4))
        for policy in np.unique(fit.close_at_eod[shown]):
            rows = fit.close_at_eod[shown] == policy
            mine = shown[rows]
            windows = windows_of(market.legs(track.name), market, self.rules, bool(policy)).at(mine)
            for i, (up, down) in enumerate(((1, 0), (-1, 0), (0, 1), (0, -1))):
                h, l = fit.high_multiplier[mine] + up * tick[mine], fit.low_multiplier[mine] + down * tick[mine]
                found[rows, i] = windows.summed(windows.booked(h, l))
        bps: Floats = BASIS_POINTS * found / window
        return bps


def _shown(windows: int) -> NDArray[np.int64]:
    """Which windows have a surface, oldest first: the rows of a fit are newest first, but the plan's is the last."""
    oldest_first: NDArray[Any] = np.append(np.arange(windows - 1)[::-1], windows - 1)
    if windows <= MOST:
        return oldest_first
    return oldest_first[np.rint(np.linspace(0, windows - 1, MOST)).astype(np.int64)]
