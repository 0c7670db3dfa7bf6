"""Profit terms: what a leg earns over the multipliers, bar by bar, and the price of candidates.

All prices are moves from the origin's close, so a price is `1 + move` and a profit is a fraction of that
close. `u` is the move of the upper level, `d` that of the lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.arrays import Array, count_edges, namespace, numbers
from marketsim.execution.strategies import Legs
from marketsim.profiling import part
from marketsim.settings.choices import BASIS_POINTS

UPPER_CLIP = (0.0, 10.0)
LOWER_CLIP = (-1.0, 0.0)
TIE = 1e-12  # profits this close are equal, in whatever order a machine added them
LEVEL_TIE = 1e-13  # a level this close to a price touches it: sums of decimals miss it by a rounding


@dataclass(frozen=True, slots=True)
class Costs:
    """Trading costs as fractions of the price of a fill: a fee per side, slippage on exits at the close."""

    fee: float
    slippage: float

    @classmethod
    def from_bps(cls, fee_bps: float, slippage_bps: float) -> Costs:
        """From basis points of the price."""
        return cls(fee_bps / BASIS_POINTS, slippage_bps / BASIS_POINTS)


@dataclass(frozen=True, slots=True)
class Levels:
    """Where the orders of N bars rest before the multipliers move them, and how wide the bars were expected to be."""

    high_move: NDArray[np.float64]  # [N] move from the origin's close
    low_move: NDArray[np.float64]  # [N] move from the origin's close
    variance: NDArray[np.float64]  # [N] forecast of the log price between open and close
    spread: NDArray[np.float64]  # [N] standard deviation of the log of that forecast's error; inf: nothing is known

    def at(self, index: Any) -> Levels:
        """The levels of some bars, as an array is indexed."""
        return Levels(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the N forecast bars did, as moves from the origin's close."""

    open: NDArray[np.float64]  # [N]
    high: NDArray[np.float64]  # [N]
    low: NDArray[np.float64]  # [N]
    close: NDArray[np.float64]  # [N]

    def at(self, index: Any) -> Outcomes:
        """The outcomes of some bars, as an array is indexed."""
        return Outcomes(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True, slots=True)
class Leg:
    """Profit of one leg over the multipliers `(h, l)`: an entry, and a lattice of take-profit weights a bar.

        u = clip(upper_move + h, *upper_clip)       d = clip(lower_move + l, *lower_clip)
        profit = [low < d] * (at_level + per_lower * min(d, open))
                 + weight[p, q] * (gain + per_upper * u)     u in bin p and d in bin q, else nothing

    Bin p ends at `upper_edges[p]` and holds it, the first one begins at -inf; bin q begins above
    `lower_edges[q]`, the last one never ends. A level within `LEVEL_TIE` of an edge is on it. A fill policy is
    nothing but the weights. Slopes have the signs `per_lower <= 0 <= per_upper`: inside a cell of the lattices profit
    never falls in h nor rises in l.

    A short is a long in the mirror: its prices, levels and multipliers change sign, and upper and lower change
    places. All arrays are float64 moves or fractions of the origin's close; `...` is `[N]` bars, or `[B, W]`
    windows of bars.
    """

    mirrored: bool
    upper_clip: tuple[float, float]
    lower_clip: tuple[float, float]
    upper_move: Array  # [...]
    lower_move: Array  # [...]
    low: Array  # [...]
    open: Array  # [...]
    at_level: Array  # [...]
    per_lower: Array  # [...]
    gain: Array  # [...]
    per_upper: Array  # [...]
    upper_edges: Array  # [..., P] increasing
    lower_edges: Array  # [..., Q] increasing
    weight: Array  # [..., P, Q] in [0, 1]

    def map(self, change: Callable[[Array], Array]) -> Leg:
        """The leg with every array changed."""
        arrays = (getattr(self, field.name) for field in fields(self)[3:])
        return Leg(self.mirrored, self.upper_clip, self.lower_clip, *map(change, arrays))

    def at_close(self) -> Leg:
        """The leg without take-profits: what is entered is closed at the close."""
        return replace(self, weight=0.0 * self.weight)

    def sized(self, size: Array) -> Leg:
        """The leg with positions of `size` `[...]`; none where it is zero."""
        names = ("at_level", "per_lower", "gain", "per_upper")
        weight = self.weight * (size != 0)[..., None, None]
        return replace(self, weight=weight, **{name: getattr(self, name) * size for name in names})


@dataclass(frozen=True, slots=True)
class ProfitTerms:
    """The legs of N bars, or of B windows of W bars; their profits add up."""

    legs: tuple[Leg, ...]  # a long, a short, or both

    def __len__(self) -> int:
        return len(self.legs[0].low)

    def map(self, change: Callable[[Array], Array]) -> ProfitTerms:
        """The terms with every array changed."""
        return ProfitTerms(tuple(leg.map(change) for leg in self.legs))

    def at_close(self) -> ProfitTerms:
        """The terms of the policy `close_at_eod`."""
        return ProfitTerms(tuple(leg.at_close() for leg in self.legs))

    def placed(self, legs: Legs) -> ProfitTerms:
        """The terms `[N]` of the bars on which a strategy places a leg; nothing is earned on the others."""
        sizes = (legs.long, legs.short)
        return ProfitTerms(tuple(leg.sized(sizes[leg.mirrored]) for leg in self.legs))

    def at(self, index: Any) -> ProfitTerms:
        """The terms of some bars or problems, as an array is indexed; `[B, W]` positions make windows."""
        return self.map(lambda array: array[index])


def stack(parts: Sequence[ProfitTerms]) -> ProfitTerms:
    """Problems side by side, along the first axis."""
    return ProfitTerms(tuple(_stacked(legs) for legs in zip(*(part.legs for part in parts), strict=True)))


def _stacked(legs: tuple[Leg, ...]) -> Leg:
    joined: dict[str, Any] = {
        field.name: np.concatenate([getattr(leg, field.name) for leg in legs]) for field in fields(Leg)[3:]
    }
    return replace(legs[0], **joined)


def upper_level(high_move: NDArray[np.float64], h: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The move of the upper level once `h` has shifted it."""
    return np.clip(high_move + h, *UPPER_CLIP)


def lower_level(low_move: NDArray[np.float64], l: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The move of the lower level once `l` has shifted it."""
    return np.clip(low_move + l, *LOWER_CLIP)


def mirror(interval: tuple[float, float]) -> tuple[float, float]:
    """The interval with its sign changed."""
    low, high = interval
    return -high, -low


def entered(leg: Leg, h: NDArray[np.float64], l: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the leg `[N]` was entered `[N]` with each bar's own multipliers `[N]`."""
    lower = np.clip(leg.lower_move + (-h if leg.mirrored else l), *leg.lower_clip)
    filled: NDArray[np.bool_] = leg.low < lower - LEVEL_TIE
    return filled


def one_by_one(leg: Leg) -> ProfitTerms:
    """The leg's N bars as N problems of one bar."""
    return ProfitTerms((leg,)).at((slice(None), None))


def evaluate(terms: ProfitTerms, h: Array, l: Array) -> Array:
    """Profit `[B, K]` of candidates `(h, l)`, each `[B, K]` (or `[1, K]` for all), on terms `[B, W]`."""
    xp = namespace(h)
    with part("evaluate", terms.legs[0].low.shape[0] * h.shape[1]):
        return total_profit(terms.legs, None, h, l, xp)


def total_profit(legs: Sequence[Leg], of: Array | None, h: Array, l: Array, xp: Any) -> Array:
    """Profit `[N, ...]` of candidates that broadcast, on the problems `of` `[N]`, or on each of them."""
    profits = (_earned(leg, of, -l, -h, xp) if leg.mirrored else _earned(leg, of, h, l, xp) for leg in legs)
    return sum(xp.sum(each, axis=-1) for each in profits)


def _earned(leg: Leg, of: Array | None, h: Array, l: Array, xp: Any) -> Array:
    """Profit `[N, ..., W]` of each bar, in the leg's own coordinates."""
    size, window, upper_bins, lower_bins = leg.weight.shape
    aligned = (slice(None), *(None,) * (h.ndim - 1))

    def each(a: Array) -> Array:
        return a[aligned] if of is None else a[of][aligned]

    u = xp.clip(each(leg.upper_move) + h[..., None], *leg.upper_clip)
    d = xp.clip(each(leg.lower_move) + l[..., None], *leg.lower_clip)
    entry = each(leg.at_level) + each(leg.per_lower) * xp.minimum(d, each(leg.open))
    above = d - LEVEL_TIE
    p, q = count_edges(each(leg.upper_edges), u - LEVEL_TIE, xp), count_edges(each(leg.lower_edges), above, xp)
    filled, begun = p < upper_bins, q > 0
    bar = each(xp.reshape(numbers(size * window, leg.weight, xp), (size, window)))
    place = (bar * upper_bins + p * filled) * lower_bins + (q - 1) * begun
    profit = xp.reshape(leg.weight, (-1,))[place]
    profit *= xp.where(filled, each(leg.gain) + each(leg.per_upper) * u, 0.0)
    profit *= begun
    profit += xp.where(above > each(leg.low), entry, 0.0)
    return profit
