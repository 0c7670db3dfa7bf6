"""Fills and costs: from levels and actual bars to the rectangle terms of profit.

All prices are moves from the origin's close, so a price is `1 + move` and a profit is a fraction of that
close. `u` is the move of the upper level, `d` that of the lower one. See SEMANTICS.md, "Fills".
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from marketsim.strategies import Legs

FILLS = ("provable", "touch")
ENTRY_SLOTS = 2  # the first slots of a leg are its entry: at the level, and at the open
UPPER_CLIP = (0.0, 10.0)
LOWER_CLIP = (-1.0, 0.0)
INF = np.inf

Column = NDArray[np.float64] | float  # of one slot: a value for each bar, or one for all
Slot = tuple[Column, ...]  # the fields of ProfitTerms after the moves


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
class ProfitTerms:
    """Profit as a sum of rectangles over the multipliers `(h, l)`; the last axis is summed over.

        sum of [upper_from < u <= upper_to] * [lower_from < d <= lower_to]
               * (constant + per_upper * u + per_lower * d)
        u = clip(high_move + h, 0, 10)    d = clip(low_move + l, -1, 0)

    Every slope `per_upper` is >= 0 and every `per_lower` <= 0, and inside the arrangement of the
    rectangles their sum never falls in h nor rises in l. All arrays have one shape, `[..., M]`, float64,
    moves from the origin's close; `constant` and the slopes carry the weight in [0, 1] of the fill policy.
    """

    high_move: NDArray[np.float64]
    low_move: NDArray[np.float64]
    upper_from: NDArray[np.float64]
    upper_to: NDArray[np.float64]
    lower_from: NDArray[np.float64]
    lower_to: NDArray[np.float64]
    constant: NDArray[np.float64]
    per_upper: NDArray[np.float64]
    per_lower: NDArray[np.float64]

    def windows(self, positions: NDArray[np.int64]) -> ProfitTerms:
        """The terms `[B, W * M]` of B windows, from terms `[N, M]` of bars and positions `[B, W]`."""
        return ProfitTerms(*(a[positions].reshape(len(positions), -1) for a in arrays(self)))

    def take(self, positions: NDArray[np.int64]) -> ProfitTerms:
        """The terms of the bars at `positions`."""
        return ProfitTerms(*(a[positions] for a in arrays(self)))


def arrays(terms: ProfitTerms) -> list[NDArray[np.float64]]:
    """The arrays of `terms` in the order of its fields."""
    return [getattr(terms, field.name) for field in fields(terms)]


def stack(parts: list[ProfitTerms], axis: int) -> ProfitTerms:
    """Join along `axis`: 0 puts problems side by side, -1 adds the profits of legs."""
    return ProfitTerms(*(np.concatenate(each, axis) for each in zip(*map(arrays, parts), strict=True)))


def upper_level(high_move: NDArray[np.float64], h: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The move of the upper level once `h` has shifted it."""
    return np.clip(high_move + h, *UPPER_CLIP)


def lower_level(low_move: NDArray[np.float64], l: NDArray[np.float64] | float) -> NDArray[np.float64]:
    """The move of the lower level once `l` has shifted it."""
    return np.clip(low_move + l, *LOWER_CLIP)


def _below(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest number below x: turns `< x` into `<=`, and `>= x` into `>`."""
    return np.nextafter(x, -np.inf)


def long_terms(levels: Levels, bar: Outcomes, costs: Costs, fill: str, close_at_eod: bool) -> ProfitTerms:
    """Terms `[N, 4]` of a long on every bar: entry at the level, entry at the open, two of the take-profit."""
    at_close = (1 - costs.fee) * (1 - costs.slippage) * (1 + bar.close)
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_level = (-INF, INF, bar.low, bar.open, at_close - pays, 0.0, -pays)
    at_open = (-INF, INF, bar.open, INF, at_close - pays * (1 + bar.open), 0.0, 0.0)
    gain = (gets - at_close, gets, 0.0)
    nothing = (INF, -INF, INF, -INF, 0.0, 0.0, 0.0)
    profits: list[Slot]
    if close_at_eod:
        profits = [nothing, nothing]
    elif fill == "touch":
        profits = [(-INF, bar.high, bar.low, INF, *gain), nothing]
    else:
        beyond = np.minimum(bar.close, _below(bar.high))
        profits = [
            (-INF, beyond, bar.low, INF, *gain),
            (beyond, _below(bar.high), bar.open, INF, *gain),
        ]
    return _terms(levels, [at_level, at_open, *profits])


def short_terms(levels: Levels, bar: Outcomes, costs: Costs, fill: str, close_at_eod: bool) -> ProfitTerms:
    """Terms `[N, 4]` of a short on every bar: entry at the level, entry at the open, two of the take-profit."""
    at_close = (1 + costs.fee) * (1 + costs.slippage) * (1 + bar.close)
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_level = (_below(bar.open), _below(bar.high), -INF, INF, gets - at_close, gets, 0.0)
    at_open = (-INF, _below(bar.open), -INF, INF, gets * (1 + bar.open) - at_close, 0.0, 0.0)
    gain = (at_close - pays, 0.0, -pays)
    nothing = (INF, -INF, INF, -INF, 0.0, 0.0, 0.0)
    profits: list[Slot]
    if close_at_eod:
        profits = [nothing, nothing]
    elif fill == "touch":
        profits = [(-INF, _below(bar.high), _below(bar.low), INF, *gain), nothing]
    else:
        beyond = np.maximum(_below(bar.close), bar.low)
        profits = [
            (-INF, _below(bar.high), beyond, INF, *gain),
            (-INF, _below(bar.open), bar.low, beyond, *gain),
        ]
    return _terms(levels, [at_level, at_open, *profits])


def profit_terms(
    levels: Levels, bars: Outcomes, legs: Legs, costs: Costs, fill: str, close_at_eod: bool
) -> ProfitTerms:
    """Terms `[N, 4]` or, where the asset can be shorted, `[N, 8]` of the legs that a strategy places."""
    long = _only(long_terms(levels, bars, costs, fill, close_at_eod), legs.long)
    if legs.short is None:
        return long
    return stack([long, _only(short_terms(levels, bars, costs, fill, close_at_eod), legs.short)], -1)


def entered(leg: ProfitTerms, h: NDArray[np.float64], l: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether the leg `[N, 4]` was entered `[N]` with each bar's own multipliers `[N]`."""
    u, d = upper_level(leg.high_move, h[:, None]), lower_level(leg.low_move, l[:, None])
    inside = (leg.upper_from < u) & (u <= leg.upper_to) & (leg.lower_from < d) & (d <= leg.lower_to)
    filled: NDArray[np.bool_] = np.logical_or.reduce(inside[:, :ENTRY_SLOTS], axis=-1)
    return filled


def _terms(levels: Levels, slots: list[Slot]) -> ProfitTerms:
    moves = (levels.high_move, levels.low_move)
    values = np.empty((len(moves) + len(slots[0]), len(levels.high_move), len(slots)))
    for m, slot in enumerate(slots):
        for i, column in enumerate((*moves, *slot)):
            values[i, :, m] = column
    return ProfitTerms(*values)


def _only(leg: ProfitTerms, on: NDArray[np.bool_]) -> ProfitTerms:
    """The leg on the bars where it is placed, and no profit on the others."""
    mask = on[:, None]
    values = {name: getattr(leg, name) * mask for name in ("constant", "per_upper", "per_lower")}
    return replace(leg, **values)
