"""Fills and costs: from levels and actual bars to the terms of profit.

All prices are moves from the origin's close, so a price is `1 + move` and a profit is a fraction of that
close. `u` is the move of the upper level, `d` that of the lower one. The rules in words:
README.md, "What the numbers mean".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.strategies import Legs

FILLS = ("provable", "touch")
UPPER_CLIP = (0.0, 10.0)
LOWER_CLIP = (-1.0, 0.0)

Array = Any  # of numpy, or of the namespace that surface.py is given
Lattice = tuple[Array, Array, Array]  # upper edges [N, P], lower edges [N, Q], weights [N, P, Q]


@dataclass(frozen=True, slots=True)
class Costs:
    """Trading costs as fractions of the price of a fill: a fee per side, slippage on exits at the close."""

    fee: float
    slippage: float

    @classmethod
    def from_bps(cls, fee_bps: float, slippage_bps: float) -> Costs:
        """From basis points of the price."""
        return cls(fee_bps / 1e4, slippage_bps / 1e4)


@dataclass(frozen=True, slots=True)
class Levels:
    """Where the orders of N bars rest before the multipliers move them, as moves from the origin's close."""

    high_move: NDArray[np.float64]  # [N]
    low_move: NDArray[np.float64]  # [N]


@dataclass(frozen=True, slots=True)
class Outcomes:
    """What the N forecast bars did, as moves from the origin's close."""

    open: NDArray[np.float64]  # [N]
    high: NDArray[np.float64]  # [N]
    low: NDArray[np.float64]  # [N]
    close: NDArray[np.float64]  # [N]


@dataclass(frozen=True, slots=True)
class Leg:
    """Profit of one leg over the multipliers `(h, l)`: an entry, and a lattice of take-profit weights a bar.

        u = clip(upper_move + h, *upper_clip)       d = clip(lower_move + l, *lower_clip)
        profit = [low < d] * (at_level + per_lower * min(d, open))
                 + weight[p, q] * (gain + per_upper * u)     u in bin p and d in bin q, else nothing

    Bin p ends at `upper_edges[p]` and holds it, the first one begins at -inf; bin q begins above
    `lower_edges[q]`, the last one never ends. A fill policy is nothing but the weights. Slopes have the signs
    `per_lower <= 0 <= per_upper`: inside a cell of the lattices profit never falls in h nor rises in l.

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


def long_leg(levels: Levels, bar: Outcomes, costs: Costs, fill: str, close_at_eod: bool) -> Leg:
    """A long `[N]` on every bar: buys at the lower level, sells at the upper one or at the close."""
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_close = gets * (1 - costs.slippage) * (1 + bar.close)
    moves = (levels.high_move, levels.low_move)
    return _leg(False, moves, bar, at_close - pays, -pays, gets - at_close, gets, fill, close_at_eod)


def short_leg(levels: Levels, bar: Outcomes, costs: Costs, fill: str, close_at_eod: bool) -> Leg:
    """A short `[N]` on every bar: sells at the upper level, buys back at the lower one or at the close."""
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_close = pays * (1 + costs.slippage) * (1 + bar.close)
    mirror = Outcomes(-bar.open, -bar.low, -bar.high, -bar.close)
    moves = (-levels.low_move, -levels.high_move)
    return _leg(True, moves, mirror, gets - at_close, -gets, at_close - pays, pays, fill, close_at_eod)


def _leg(
    mirrored: bool,
    moves: tuple[Array, Array],
    bar: Outcomes,
    at_level: Array,
    per_lower: float,
    gain: Array,
    per_upper: float,
    fill: str,
    close_at_eod: bool,
) -> Leg:
    upper_edges, lower_edges, weight = LATTICES[fill](bar)
    every = np.ones_like(bar.close)
    clips = (UPPER_CLIP, LOWER_CLIP)
    if mirrored:
        clips = (mirror(LOWER_CLIP), mirror(UPPER_CLIP))
    return Leg(
        mirrored,
        *clips,
        *moves,
        low=bar.low,
        open=bar.open,
        at_level=at_level,
        per_lower=per_lower * every,
        gain=gain,
        per_upper=per_upper * every,
        upper_edges=upper_edges,
        lower_edges=lower_edges,
        weight=np.zeros_like(weight) if close_at_eod else weight,
    )


def _touch(bar: Outcomes) -> Lattice:
    """One bin: filled wherever the bar reached the level, whatever came first."""
    weight = np.ones((len(bar.close), 1, 1))
    return bar.high[:, None], bar.low[:, None], weight


def _provable(bar: Outcomes) -> Lattice:
    """Traded through, and after the entry for sure: the close is at or beyond it, or the entry was at the open."""
    through = np.nextafter(bar.high, -np.inf)
    upper = np.stack([np.minimum(bar.close, through), through], -1)
    weight = np.broadcast_to([[1.0, 1.0], [0.0, 1.0]], (len(bar.close), 2, 2))
    return upper, np.stack([bar.low, bar.open], -1), weight


LATTICES = {"provable": _provable, "touch": _touch}


def profit_terms(
    levels: Levels, bars: Outcomes, legs: Legs, costs: Costs, fill: str, close_at_eod: bool
) -> ProfitTerms:
    """The terms `[N]` of the legs that a strategy places: a long, and a short where the asset has one."""
    placed = [long_leg(levels, bars, costs, fill, close_at_eod).sized(legs.long)]
    if legs.short is not None:
        placed.append(short_leg(levels, bars, costs, fill, close_at_eod).sized(legs.short))
    return ProfitTerms(tuple(placed))


def entered(leg: Leg, h: NDArray[np.float64], l: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the leg `[N]` was entered `[N]` with each bar's own multipliers `[N]`."""
    lower = np.clip(leg.lower_move + (-h if leg.mirrored else l), *leg.lower_clip)
    filled: NDArray[np.bool_] = leg.low < lower
    return filled


def one_by_one(leg: Leg) -> ProfitTerms:
    """The leg's N bars as N problems of one bar."""
    return ProfitTerms((leg,)).at((slice(None), None))
