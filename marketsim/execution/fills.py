"""Fills and costs: from levels and actual bars to the terms of profit.

All prices are moves from the origin's close, so a price is `1 + move` and a profit is a fraction of that close. The
rules in words: docs/fills.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.fill_probability import take_profit_probability
from marketsim.execution.lattices import (
    PRECISIONS,
    Interval,
    Lattice,
    Precision,
    expected_at,
    expected_lattice,
    provable_lattice,
    touch_lattice,
)
from marketsim.execution.profit_terms import (
    LEVEL_TIE,
    LOWER_CLIP,
    UPPER_CLIP,
    Costs,
    Leg,
    Levels,
    Outcomes,
    ProfitTerms,
    mirror,
)
from marketsim.settings.choices import PROVABLE, TOUCH

Floats = NDArray[np.float64]
Multipliers = tuple[Floats, Floats]  # h and l, each [N]

TOGETHER = 192  # bars whose terms are made at once, which bounds memory: `expected` needs 150 KiB a bar and more


def long_leg(
    levels: Levels,
    bar: Outcomes,
    costs: Costs,
    fill: str,
    traded: Multipliers | None = None,
    precision: Precision = PRECISIONS[0],
) -> Leg:
    """A long `[N]` on every bar: buys at the lower level, sells at the upper one, else at the close.

    For all multipliers, and then `expected` to a precision; with `traded` `[N]`, for each bar's own ones alone, and
    there exactly.
    """
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_close = gets * (1 - costs.slippage) * (1 + bar.close)
    seen = BarsOfLeg.of_long(levels, bar)
    return seen.leg(
        seen.lattice(fill, traded, precision),
        at_level=at_close - pays,
        per_lower=-pays,
        gain=gets - at_close,
        per_upper=gets,
    )


def short_leg(
    levels: Levels,
    bar: Outcomes,
    costs: Costs,
    fill: str,
    traded: Multipliers | None = None,
    precision: Precision = PRECISIONS[0],
) -> Leg:
    """A short `[N]` on every bar: sells at the upper level, buys back at the lower one, else at the close.

    For all multipliers or those `traded`, as `long_leg`.
    """
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_close = pays * (1 + costs.slippage) * (1 + bar.close)
    seen = BarsOfLeg.of_short(levels, bar)
    return seen.leg(
        seen.lattice(fill, traded, precision),
        at_level=gets - at_close,
        per_lower=-gets,
        gain=at_close - pays,
        per_upper=pays,
    )


def profit_terms(
    levels: Levels,
    bars: Outcomes,
    costs: Costs,
    fill: str,
    shortable: bool,
    precision: Precision = PRECISIONS[0],
) -> ProfitTerms:
    """The terms `[N]` of a long on every bar, and of a short where the asset can be shorted."""
    legs = (long_leg, short_leg) if shortable else (long_leg,)
    parts = []
    for first in range(0, max(1, len(bars.close)), TOGETHER):
        some = slice(first, first + TOGETHER)
        made = (leg(levels.at(some), bars.at(some), costs, fill, precision=precision) for leg in legs)
        parts.append(ProfitTerms(tuple(made)))
    return ProfitTerms.concatenate(parts)


class BarsOfLeg(Struct, frozen=True):
    """N bars and levels as a leg sees them: a short sees them upside down."""

    mirrored: bool
    bar: Outcomes
    upper_move: Floats
    lower_move: Floats
    variance: Floats
    spread: Floats

    @classmethod
    def of_long(cls, levels: Levels, bar: Outcomes) -> BarsOfLeg:
        """As they are."""
        return cls(False, bar, levels.high_move, levels.low_move, levels.variance, levels.spread)

    @classmethod
    def of_short(cls, levels: Levels, bar: Outcomes) -> BarsOfLeg:
        """Upside down."""
        return cls(True, bar.mirrored(), -levels.low_move, -levels.high_move, levels.variance, levels.spread)

    @property
    def upper_clip(self) -> Interval:
        """Between which moves the upper level lies."""
        return mirror(LOWER_CLIP) if self.mirrored else UPPER_CLIP

    @property
    def lower_clip(self) -> Interval:
        """Between which moves the lower level lies."""
        return mirror(UPPER_CLIP) if self.mirrored else LOWER_CLIP

    def leg(self, lattice: Lattice, at_level: Floats, per_lower: float, gain: Floats, per_upper: float) -> Leg:
        """The leg with the weights of a lattice, and what its entries and take-profits pay."""
        return Leg(
            mirrored=self.mirrored,
            upper_clip=self.upper_clip,
            lower_clip=self.lower_clip,
            upper_move=self.upper_move,
            lower_move=self.lower_move,
            low=self.bar.low,
            open=self.bar.open,
            at_level=at_level,
            per_lower=np.full_like(self.bar.close, per_lower),
            gain=gain,
            per_upper=np.full_like(self.bar.close, per_upper),
            upper_edges=lattice.upper_edges,
            lower_edges=lattice.lower_edges,
            weight=lattice.weight,
            interpolated=lattice.interpolated,
        )

    def at(self, index: Any) -> BarsOfLeg:
        """Some of the bars."""
        return BarsOfLeg(
            self.mirrored,
            self.bar.at(index),
            self.upper_move[index],
            self.lower_move[index],
            self.variance[index],
            self.spread[index],
        )

    def lattice(self, fill: str, traded: Multipliers | None, precision: Precision) -> Lattice:
        """The weights of a fill policy."""
        inside = self.bar.inside
        if inside is None or not (finer := inside.count > 1).any():
            return self._lattice_of_bars(fill, traded, precision)

        from marketsim.execution.finer_fills import lattice_of_finer_bars  # most runs have none

        of_finer = lattice_of_finer_bars(self.at(finer), fill, _at(traded, finer), precision)
        if finer.all():
            return of_finer
        return of_finer.joined(self.at(~finer)._lattice_of_bars(fill, _at(traded, ~finer), precision), finer)

    def levels(self, traded: Multipliers) -> tuple[Floats, Floats]:
        """Upper and lower levels `[N]` where the multipliers move them."""
        h, l = traded
        along_upper, along_lower = (-l, -h) if self.mirrored else (h, l)
        upper = np.clip(self.upper_move + along_upper, *self.upper_clip)
        return upper, np.clip(self.lower_move + along_lower, *self.lower_clip)

    def _lattice_of_bars(self, fill: str, traded: Multipliers | None, precision: Precision) -> Lattice:
        """The weights where nothing is known of what is inside a bar."""
        if fill == TOUCH:
            return touch_lattice(self.bar)
        if fill == PROVABLE:
            return provable_lattice(self.bar)
        if traded is None:
            return expected_lattice(self.bar, self.probabilities, self.upper_clip, self.lower_clip, precision)
        return expected_at(self.bar, self.probability(*self.levels(traded)))

    def probabilities(self, upper: Floats, lower: Floats) -> Floats:
        """w `[N, P, Q]` at levels `[N, P]` and `[N, Q]`."""
        open, high, low, close = (self._log(x)[:, None, None] for x in self._prices(slice(None)))
        variance, spread = self.variance[:, None, None], self.spread[:, None, None]
        levels = self._log(lower)[:, None, :], self._log(upper)[:, :, None]
        return take_profit_probability(open, high, low, close, *levels, variance, spread)

    def probability(self, upper: Floats, lower: Floats) -> Floats:
        """w `[N]` at levels `[N]` on the bars that leave it in doubt; 1 on the others, where it is not asked for."""
        w, bar = np.ones_like(upper), self.bar
        inside = (bar.low < lower - LEVEL_TIE) & (upper - LEVEL_TIE <= bar.high)
        (doubt,) = np.nonzero(inside & (lower < bar.open - LEVEL_TIE) & (bar.close < upper - LEVEL_TIE))
        if not doubt.size:
            return w
        open, high, low, close = (self._log(x) for x in self._prices(doubt))
        levels = self._log(lower[doubt]), np.minimum(self._log(upper[doubt]), high)
        w[doubt] = take_profit_probability(open, high, low, close, *levels, self.variance[doubt], self.spread[doubt])
        return w

    def _prices(self, rows: NDArray[np.int64] | slice) -> tuple[Floats, Floats, Floats, Floats]:
        bar = self.bar.at(rows)
        return bar.open, bar.high, bar.low, bar.close

    def _log(self, move: Floats) -> Floats:
        """The log price of a move."""
        return -np.log1p(-move) if self.mirrored else np.log1p(move)


def _at(traded: Multipliers | None, index: NDArray[np.bool_]) -> Multipliers | None:
    return None if traded is None else (traded[0][index], traded[1][index])
