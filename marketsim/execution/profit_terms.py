"""Profit terms: the profit of a leg as a function of the multipliers, bar by bar.

All prices are moves from the origin's close, so a price is `1 + move` and a profit is a fraction of that
close. `u` is the move of the upper level, `d` that of the lower one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.execution.arrays import Array
from marketsim.execution.strategies import Legs
from marketsim.settings.choices import BASIS_POINTS

if TYPE_CHECKING:
    from marketsim.execution.finer_bars import FinerBars

UPPER_CLIP = (0.0, 10.0)
LOWER_CLIP = (-1.0, 0.0)
TIE = 1e-12  # profits this close are equal, in whatever order a machine added them
LEVEL_TIE = 1e-13  # a level this close to a price touches it: sums of decimals miss it by a rounding


class Costs(Struct, frozen=True):
    """Trading costs as fractions of the price of a fill: a fee per side, slippage on exits at the close."""

    fee: float
    slippage: float

    @classmethod
    def from_bps(cls, fee_bps: float, slippage_bps: float) -> Costs:
        """From basis points of the price."""
        return cls(fee_bps / BASIS_POINTS, slippage_bps / BASIS_POINTS)

    @property
    def round_trip(self) -> float:
        """How far apart entry and take-profit have to be to pay both fees, as a fraction of the close.

        A trade from `1 + d` to `1 + u` breaks even where `(1 + u) * (1 - fee) = (1 + d) * (1 + fee)`. No lower level is
        above the close, so this distance is enough for all of them.
        """
        return 2 * self.fee / (1 - self.fee)


class Levels(Struct, frozen=True):
    """Where the orders of N bars rest before the multipliers move them, and how wide the bars were expected to be."""

    high_move: NDArray[np.float64]  # [N] move from the origin's close
    low_move: NDArray[np.float64]  # [N] move from the origin's close
    variance: NDArray[np.float64]  # [N] forecast of the log price between open and close
    spread: NDArray[np.float64]  # [N] standard deviation of the log of that forecast's error; inf: nothing is known

    def at(self, index: Any) -> Levels:
        """The levels of some bars, as an array is indexed."""
        return Levels(self.high_move[index], self.low_move[index], self.variance[index], self.spread[index])


class Outcomes(Struct, frozen=True):
    """What the N forecast bars did, as moves from the origin's close."""

    open: NDArray[np.float64]  # [N]
    high: NDArray[np.float64]  # [N]
    low: NDArray[np.float64]  # [N]
    close: NDArray[np.float64]  # [N]
    inside: FinerBars | None = None  # [N] in which order the prices of a bar came, as far as it is known

    def at(self, index: Any) -> Outcomes:
        """The outcomes of some bars, as an array is indexed."""
        inside = None if self.inside is None else self.inside.at(index)
        return Outcomes(self.open[index], self.high[index], self.low[index], self.close[index], inside)

    def mirrored(self) -> Outcomes:
        """The bars upside down, where a short is a long."""
        inside = None if self.inside is None else self.inside.mirrored()
        return Outcomes(open=-self.open, high=-self.low, low=-self.high, close=-self.close, inside=inside)


class Leg(Struct, frozen=True):
    """Profit of one leg over the multipliers `(h, l)`: an entry, and a lattice of take-profit weights a bar.

        u = clip(upper_move + h, *upper_clip)       d = clip(lower_move + l, *lower_clip)
        profit = [low < d] * (at_level + per_lower * min(d, open)) + take-profit(u, d)

    Nothing is taken at or below the first lower edge, nor above the last upper one. In between, a lattice of bins gives
    the weight `weight[p, q] * (gain + per_upper * u)` for u in bin p, which ends at `upper_edges[p]` and holds it,
    and d in bin q, which begins above `lower_edges[q]`; the first upper bin begins at -inf, the last lower one never
    ends. An `interpolated` lattice holds its weights at the edges: between two of them what is taken is linear, in u
    and in d; where two edges are one it jumps. Interpolated edges do not lie beyond the clips.

    A level within `LEVEL_TIE` of an edge is on it. A fill policy is nothing but the weights. Slopes have the signs
    `per_lower <= 0 <= per_upper`: inside a cell of lattices of bins profit never falls in h nor rises in l.

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
    interpolated: bool = False

    def map(self, change: Callable[[Array], Array]) -> Leg:
        """The leg with every array changed."""
        return replace(
            self,
            upper_move=change(self.upper_move),
            lower_move=change(self.lower_move),
            low=change(self.low),
            open=change(self.open),
            at_level=change(self.at_level),
            per_lower=change(self.per_lower),
            gain=change(self.gain),
            per_upper=change(self.per_upper),
            upper_edges=change(self.upper_edges),
            lower_edges=change(self.lower_edges),
            weight=change(self.weight),
        )

    def at_close(self) -> Leg:
        """The leg without take-profits, whose lattice is one empty bin: what is entered is closed at the close."""
        return replace(
            self,
            upper_edges=self.upper_edges[..., :1],
            lower_edges=self.lower_edges[..., :1],
            weight=0.0 * self.weight[..., :1, :1],
        )

    def sized(self, size: Array) -> Leg:
        """The leg with positions of `size` `[...]`; none where it is zero."""
        return replace(
            self,
            at_level=self.at_level * size,
            per_lower=self.per_lower * size,
            gain=self.gain * size,
            per_upper=self.per_upper * size,
            weight=self.weight * (size != 0)[..., None, None],
        )

    def _widened(self, upper: int, lower: int) -> Leg:
        """The leg with as many edges; an edge that is there again changes nothing."""
        *_, p, q = self.weight.shape
        at_upper, at_lower = np.minimum(np.arange(upper), p - 1), np.minimum(np.arange(lower), q - 1)
        return replace(
            self,
            upper_edges=self.upper_edges[..., at_upper],
            lower_edges=self.lower_edges[..., at_lower],
            weight=self.weight[..., at_upper, :][..., at_lower],
        )

    @property
    def arrays(self) -> tuple[Array, ...]:
        """What compiled code is told of the bars, in its order."""
        return (
            self.upper_move,
            self.lower_move,
            self.low,
            self.open,
            self.at_level,
            self.per_lower,
            self.gain,
            self.per_upper,
            self.upper_edges,
            self.lower_edges,
            self.weight,
        )

    @classmethod
    def concatenate(cls, legs: Sequence[Leg]) -> Leg:
        """Legs of one kind side by side, along the first axis; the smaller lattices repeat their last edges."""
        upper, lower = (max(leg.weight.shape[axis] for leg in legs) for axis in (-2, -1))
        legs = [leg._widened(upper, lower) for leg in legs]
        return replace(
            legs[0],
            upper_move=np.concatenate([leg.upper_move for leg in legs]),
            lower_move=np.concatenate([leg.lower_move for leg in legs]),
            low=np.concatenate([leg.low for leg in legs]),
            open=np.concatenate([leg.open for leg in legs]),
            at_level=np.concatenate([leg.at_level for leg in legs]),
            per_lower=np.concatenate([leg.per_lower for leg in legs]),
            gain=np.concatenate([leg.gain for leg in legs]),
            per_upper=np.concatenate([leg.per_upper for leg in legs]),
            upper_edges=np.concatenate([leg.upper_edges for leg in legs]),
            lower_edges=np.concatenate([leg.lower_edges for leg in legs]),
            weight=np.concatenate([leg.weight for leg in legs]),
        )


class ProfitTerms(Struct, frozen=True):
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

    def sized(self, size: Array) -> ProfitTerms:
        """The terms with positions of `size` `[...]`."""
        return ProfitTerms(tuple(leg.sized(size) for leg in self.legs))

    def at(self, index: Any) -> ProfitTerms:
        """The terms of some bars or problems, as an array is indexed; `[B, W]` positions make windows."""
        return self.map(lambda array: array[index])

    def gathered(self) -> ProfitTerms:
        """Themselves: problems `[B, W]` whose bars are their own, unlike those of WindowTerms."""
        return self

    @classmethod
    def concatenate(cls, parts: Sequence[ProfitTerms]) -> ProfitTerms:
        """Problems side by side, along the first axis."""
        if len(parts) == 1:  # as in most runs: there is nothing to copy
            return parts[0]
        return cls(tuple(Leg.concatenate(legs) for legs in zip(*(part.legs for part in parts), strict=True)))


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
