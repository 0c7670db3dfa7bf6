"""The windows of a walk: profit terms to fit, and profits as booked."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.execution.evaluation import total_profit
from marketsim.execution.fills import long_leg, profit_terms, short_leg
from marketsim.execution.floor import Floor
from marketsim.execution.lattices import Precision
from marketsim.execution.profit_terms import Costs, Levels, Outcomes, ProfitTerms, one_by_one
from marketsim.execution.strategies import Legs
from marketsim.execution.window_terms import WindowTerms
from marketsim.settings.choices import TOUCH


class Windows(Struct, frozen=True):
    """B windows of W out of N bars, under one strategy, fill policy and closing policy."""

    levels: Levels  # [N] before the multipliers
    outcomes: Outcomes  # [N]
    legs: Legs  # [N] where the strategy places orders
    costs: Costs
    fill: str
    close_at_eod: bool
    rows: NDArray[np.int64]  # [B, W] the bars of each window
    floor: Floor | None = None  # [B] of the bars that the windows are fitted for
    weights: NDArray[np.float64] | None = None  # [W] how much each bar counts, oldest first, 1 on average; None: 1

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, index: NDArray[np.int64] | slice) -> Windows:
        """Some of the windows."""
        return replace(self, rows=self.rows[index], floor=None if self.floor is None else self.floor.at(index))

    def fitted_to(self, terms: ProfitTerms) -> WindowTerms:
        """The problems `[B, W]`, of terms `[N]` of all bars."""
        bars, rows = self._bars()
        return self._problems(terms.at(bars), self.legs.at(bars), rows)

    def terms(self, precision: Precision) -> WindowTerms:
        """The problems `[B, W]`, to a precision of their own."""
        bars, rows = self._bars()
        legs = self.legs.at(bars)
        terms = profit_terms(
            self.levels.at(bars), self.outcomes.at(bars), self.costs, self.fill, legs.short is not None, precision
        )
        return self._problems(terms, legs, rows)

    def booked(self, h: NDArray[np.float64], l: NDArray[np.float64]) -> NDArray[np.float64]:
        """Profit `[B, W]` of each bar with its window's multipliers `[B]`, exactly as an evaluated bar is booked."""
        pairs, pair = np.unique(np.stack([h, l], axis=1), axis=0, return_inverse=True)  # neighbors often share one
        bars, rows = self._bars()
        wanted = np.zeros((len(pairs), len(bars)), bool)
        wanted[pair[:, None], rows] = True
        which, bar = np.nonzero(wanted)
        profit = np.zeros(wanted.shape)
        for make_leg, placed in ((long_leg, self.legs.long), (short_leg, self.legs.short)):
            if placed is None or not (some := placed[bars[bar]]).any():
                continue
            of, place = which[some], bar[some]
            at = bars[place]
            traded = pairs[of, 0], pairs[of, 1]
            fill = TOUCH if self.close_at_eod else self.fill
            leg = make_leg(self.levels.at(at), self.outcomes.at(at), self.costs, fill, traded)
            terms = one_by_one(leg.at_close() if self.close_at_eod else leg)
            profit[of, place] += total_profit(terms.legs, None, traded[0][:, None], traded[1][:, None])[:, 0]
        return profit[pair[:, None], rows]

    def summed(self, booked: NDArray[np.float64]) -> NDArray[np.float64]:
        """Sums `[B]` of the bars' profits `[B, W]`, by their weights."""
        sums: NDArray[np.float64] = (booked if self.weights is None else booked * self.weights).sum(1)
        return sums

    def _bars(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The bars `[M]` that any window has, and which of them each window has, `[B, W]`."""
        bars, rows = np.unique(self.rows, return_inverse=True)
        return bars, rows.reshape(self.rows.shape)

    def _problems(self, terms: ProfitTerms, legs: Legs, rows: NDArray[np.int64]) -> WindowTerms:
        """The terms of bars as problems `[B, W]`, under the closing policy and with the strategy's orders."""
        bars = (terms.at_close() if self.close_at_eod else terms).placed(legs)
        return WindowTerms(bars, rows, self.weights)


def age_weights(window: int, half_life: float | None) -> NDArray[np.float64] | None:
    """How much each of a window's bars counts `[W]`, oldest first: half as much for every `half_life` bars of age.

    They are 1 on average, so that weighted sums are in the unit of unweighted ones. None where all count the same.
    """
    if half_life is None:
        return None
    weights = 0.5 ** (np.arange(window)[::-1] / half_life)
    scaled: NDArray[np.float64] = weights * (window / weights.sum())
    return scaled
