"""The order of events inside a bar with finer bars: entry, take-profit, close."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.timeframe import timeframe_of
from marketsim.data.finer_bars import Inside
from marketsim.execution.profit_terms import LEVEL_TIE
from marketsim.results.schema import Ending, FinerTrade, Side, SimulationRow


class FinerView(Struct, frozen=True):
    """The finer bars of one bar."""

    timeframe: str
    times: list[str]  # [K] UTC
    prices: NDArray[np.float64]  # [K, 4] open, high, low, close, in prices of the bar

    @classmethod
    def of(cls, bars: Bars, row: int) -> FinerView | None:
        """Those of the bar `row`; None where none are used."""
        inside = Inside.of(bars, bars.finer, np.array([row]))
        if inside.used[0] < 0:
            return None
        finer, first, count = bars.finer[inside.used[0]], int(inside.first[0]), int(inside.count[0])
        times = finer.time[first : first + count].astype(str).tolist()
        return cls(timeframe_of(finer.timetable.spacing), times, inside.prices[0, :count])

    def trades(self, row: SimulationRow) -> list[FinerTrade]:
        """The longs and shorts that were entered, and in which of the finer bars."""
        sides: tuple[Side, ...] = ("long", "short")
        return [trade for side in sides if side in row.side for trade in self._trade(row, side)]

    def _trade(self, row: SimulationRow, side: Side) -> Sequence[FinerTrade]:
        open_, high, low, close = self.prices.T
        entry, target = row.lower, row.upper
        if side == "short":
            open_, high, low, close = -open_, -low, -high, -close
            entry, target = -row.upper, -row.lower
        tie = LEVEL_TIE * row.close
        entered = np.flatnonzero(low < entry - tie)
        if not len(entered):
            return []
        at, end = int(entered[0]), len(self.times) - 1
        reached = np.flatnonzero(high >= target - tie)
        later, here = reached[reached > at], at in reached
        how: Ending = "close"
        if not row.close_at_eod and (here or len(later)):
            sure = bool(open_[at] < entry - tie or close[at] >= target - tie)
            end = at if here and (sure or not len(later)) else int(later[0])
            how = "in doubt" if end == at and not sure else "take-profit"
        return [FinerTrade(side=side, entry=self.times[at], exit=self.times[end], how=how)]
