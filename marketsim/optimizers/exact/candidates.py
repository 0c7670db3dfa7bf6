"""The multipliers at which an optimum can be, and the profit of the entries there."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from marketsim.execution.arrays import Array, namespace
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers.exact.leg_profit import LegProfit
from marketsim.optimizers.exact.tuning import Tuning

Interval = tuple[float, float]
Bounds = tuple[Interval, Interval]  # of h and of l


class Candidates(Struct, frozen=True):
    """The candidates of B problems, of either multiplier."""

    legs: tuple[LegProfit, ...]
    h: Array  # [B, K_h] increasing
    l: Array  # [B, K_l] increasing
    by_h: Array  # [B, K_h] what the entries of a short earn
    by_l: Array  # [B, K_l] what the entries of a long earn
    floor: Floor | None  # [B] which of them may be chosen

    @classmethod
    def of(
        cls,
        terms: ProfitTerms,
        bounds: Bounds,
        step: float,
        touching: bool,
        tuning: Tuning,
        floor: Floor | None = None,
    ) -> Candidates:
        """The candidates of problems `[B, W]`, and where a floor leaves one multiplier free."""
        xp = namespace(terms.legs[0].low)
        legs = tuple(LegProfit.of(leg, *bounds, tuning) for leg in terms.legs)
        both = xp.all(xp.stack([leg.placed for leg in legs]), axis=0)[:, None]
        interpolated = any(leg.leg.interpolated for leg in legs)
        h_ends: list[Array] = []
        l_ends: list[Array] = []
        for leg in legs:
            upper, lower = [leg.upper_ends(step)], [leg.lower_ends(step)]
            if touching and len(legs) > 1:
                before = leg.lower_ends(-step, jumps_alone=True) if interpolated else xp.inf
                lower.append(xp.where(both, leg.lower_ends(0.0, jumps_alone=True), before))
            elif interpolated:  # profit may rise up to a jump, too
                lower.append(leg.lower_ends(-step, jumps_alone=True))
            h_ends += [-x for x in lower] if leg.leg.mirrored else upper
            l_ends += [-x for x in upper] if leg.leg.mirrored else lower
        if floor is not None:
            h_ends.append(floor.free_h[:, None])
            l_ends.append(floor.free_l[:, None])
        h = _increasing(h_ends, bounds[0], bounds[0][1], interpolated)
        l = _increasing(l_ends, bounds[1], bounds[1][0], interpolated)
        by_h, by_l = xp.zeros_like(h), xp.zeros_like(l)
        for leg in legs:
            if leg.leg.mirrored:
                by_h += leg.entry(-h)
            else:
                by_l += leg.entry(l)
        return cls(legs, h, l, by_h, by_l, floor)

    def of_problems(self, index: Any) -> Candidates:
        """Those of some problems."""
        legs = tuple(leg.of_problems(index) for leg in self.legs)
        floor = None if self.floor is None else self.floor.at(index)
        return Candidates(legs, self.h[index], self.l[index], self.by_h[index], self.by_l[index], floor)

    @property
    def separable(self) -> bool:
        """Whether no leg has take-profits: then each multiplier has its own best."""
        xp = namespace(self.h)
        return not any(xp.any(leg.lower_matters) for leg in self.legs)


def _increasing(ends: list[Array], bounds: Interval, pad: float, both_bounds: bool) -> Array:
    """Candidates `[B, K]`, increasing: ends of cells, the bound `pad` or both, and what is nearest to zero."""
    xp = namespace(ends[0])
    low, high = bounds
    fixed = [*((low, high) if both_bounds else (pad,)), min(max(0.0, low), high)]
    points = [xp.where(xp.isfinite(x), xp.clip(x, low, high), pad) for x in ends]
    points += [xp.full_like(ends[0][:, :1], x) for x in fixed]
    x = xp.sort(xp.concat(points, axis=1), axis=1)
    width = 1 + int(xp.max(xp.count_nonzero(x != pad, axis=1)))
    return x[:, :width] if pad == high else x[:, x.shape[1] - width :]
