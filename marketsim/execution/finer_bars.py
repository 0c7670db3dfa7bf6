"""Finer bars inside bars: the known order of a bar's prices.

They say when a level was reached, not whether: the extremes of a bar are those of its finer bars, its open is that of
the first and its close that of the last. An order that waits between two finer bars fills at its level, as it does
inside one; only the bar's own open may fill it better.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.profit_terms import LEVEL_TIE
from marketsim.settings.choices import EXPECTED, TOUCH

Floats = NDArray[np.float64]
Rows = NDArray[np.int64]
Probability = Callable[[Rows, Rows], Floats]  # w [M] of the bars [M], in their finer bars [M]


class FinerBars(Struct, frozen=True):
    """The finer bars of N bars, oldest first, as moves from the origin's close.

    A bar of which none are known is its own only one. Where a bar has fewer than K, its close is repeated.
    """

    open: Floats  # [N, K]
    high: Floats  # [N, K]
    low: Floats  # [N, K]
    close: Floats  # [N, K]
    share: Floats  # [N, K] of the variance between the bar's open and close
    count: Rows  # [N] how many are known; 1 for the bar itself

    def at(self, index: Any) -> FinerBars:
        """Those of some bars, as an array is indexed."""
        return FinerBars(
            self.open[index],
            self.high[index],
            self.low[index],
            self.close[index],
            self.share[index],
            self.count[index],
        )

    def mirrored(self) -> FinerBars:
        """The bars upside down, where a short is a long."""
        return FinerBars(-self.open, -self.low, -self.high, -self.close, self.share, self.count)

    @property
    def later_high(self) -> Floats:
        """The highest price `[N, K]` after each finer bar; -inf after the last."""
        highest = np.maximum.accumulate(self.high[:, ::-1], 1)[:, ::-1]
        return np.concatenate([highest[:, 1:], np.full((len(highest), 1), -np.inf)], 1)

    def credited(self, fill: str, upper: Floats, lower: Floats, probability: Probability) -> Floats:
        """Which part `[N]` of a long's take-profit at `upper` `[N]` is credited to an entry at `lower` `[N]`.

        What it is where the bar was not entered, or did not reach the take-profit at all, is of no account.
        """
        row = np.arange(len(upper))
        entry = np.argmax(self.low < lower[:, None] - LEVEL_TIE, axis=1)
        open, high, close = (prices[row, entry] for prices in (self.open, self.high, self.close))
        later = self.later_high[row, entry]
        reached = upper - LEVEL_TIE
        if fill == TOUCH:
            return np.where(np.maximum(high, later) >= reached, 1.0, 0.0)
        if fill != EXPECTED:
            sure = (open < lower - LEVEL_TIE) | (close >= reached)
            through = np.where(sure, np.maximum(high, later), later) - 2 * LEVEL_TIE
            return np.where(through >= reached, 1.0, 0.0)
        credit = np.where(np.maximum(high, later) >= reached, 1.0, 0.0)
        in_doubt = (later < reached) & (high >= reached) & (close < reached) & (lower < open - LEVEL_TIE)
        (doubt,) = np.nonzero(in_doubt)
        if doubt.size:
            credit[doubt] = probability(doubt, entry[doubt])
        return credit
