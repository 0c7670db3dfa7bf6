"""Fills and costs: from levels and actual bars to the terms of profit.

All prices are moves from the origin's close, so a price is `1 + move` and a profit is a fraction of that
close. `u` is the move of the upper level, `d` that of the lower one. The rules in words:
README.md, "What the numbers mean".
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.fill_probability import take_profit_probability
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
from marketsim.settings.choices import EXPECTED, PROVABLE, TOUCH

BINS = 7  # on either side of a bar, where that side is as long as the bar; in proportion where it is shorter
UNEVEN = 1.75  # power by which lower bins are finer near the open, where few levels lie

Array = Any  # of numpy, or of the namespace that surface.py is given
Multipliers = tuple[NDArray[np.float64], NDArray[np.float64]]  # h and l, each [N]
Lattice = tuple[Array, Array, Array]  # upper edges [N, P], lower edges [N, Q], weights [N, P, Q]


def long_leg(levels: Levels, bar: Outcomes, costs: Costs, fill: str, traded: Multipliers | None = None) -> Leg:
    """A long `[N]` on every bar: buys at the lower level, sells at the upper one, else at the close.

    For all multipliers; with `traded` `[N]`, for each bar's own ones alone, and there without bins.
    """
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_close = gets * (1 - costs.slippage) * (1 + bar.close)
    moves = (levels.high_move, levels.low_move)
    return _leg(False, moves, levels, bar, (at_close - pays, -pays), (gets - at_close, gets), fill, traded)


def short_leg(levels: Levels, bar: Outcomes, costs: Costs, fill: str, traded: Multipliers | None = None) -> Leg:
    """A short `[N]` on every bar: sells at the upper level, buys back at the lower one, else at the close."""
    pays, gets = 1 + costs.fee, 1 - costs.fee
    at_close = pays * (1 + costs.slippage) * (1 + bar.close)
    mirrored = Outcomes(-bar.open, -bar.low, -bar.high, -bar.close)
    moves = (-levels.low_move, -levels.high_move)
    if traded is not None:
        traded = (-traded[1], -traded[0])
    return _leg(True, moves, levels, mirrored, (gets - at_close, -gets), (at_close - pays, pays), fill, traded)


def _leg(
    mirrored: bool,
    moves: tuple[Array, Array],
    levels: Levels,
    bar: Outcomes,
    entry: tuple[Array, float],
    target: tuple[Array, float],
    fill: str,
    traded: Multipliers | None,
) -> Leg:
    clips = (mirror(LOWER_CLIP), mirror(UPPER_CLIP)) if mirrored else (UPPER_CLIP, LOWER_CLIP)

    def log(move: Array) -> Array:
        return -np.log1p(-move) if mirrored else np.log1p(move)

    def probability(upper: Array, lower: Array) -> Array:
        """w `[N, P, Q]` at levels `[N, P]` and `[N, Q]` inside the bar."""
        bars = (log(bar.open), log(bar.high), log(bar.low), log(bar.close), levels.variance, levels.spread)
        open, high, low, close, variance, spread = (each[:, None, None] for each in bars)
        at = log(lower)[:, None, :], log(upper)[:, :, None]
        return take_profit_probability(open, high, low, close, *at, variance, spread)

    at = None
    if traded is not None:
        at = tuple(np.clip(move + x, *clip) for move, x, clip in zip(moves, traded, clips, strict=True))
    upper_edges, lower_edges, weight = LATTICES[fill](bar, probability, at)
    every = np.ones_like(bar.close)
    return Leg(
        mirrored,
        *clips,
        *moves,
        low=bar.low,
        open=bar.open,
        at_level=entry[0],
        per_lower=entry[1] * every,
        gain=target[0],
        per_upper=target[1] * every,
        upper_edges=upper_edges,
        lower_edges=lower_edges,
        weight=weight,
    )


def _touch(bar: Outcomes, *_: Any) -> Lattice:
    """One bin: filled wherever the bar reached the level, whatever came first."""
    weight = np.ones((len(bar.close), 1, 1))
    return bar.high[:, None], bar.low[:, None], weight


def _provable(bar: Outcomes, *_: Any) -> Lattice:
    """Traded through, and after the entry for sure: the close is at or beyond it, or the entry was at the open."""
    through = bar.high - 2 * LEVEL_TIE
    upper = np.stack([np.minimum(bar.close, through), through], -1)
    weight = np.broadcast_to([[1.0, 1.0], [0.0, 1.0]], (len(bar.close), 2, 2))
    return upper, np.stack([bar.low, bar.open], -1), weight


def _expected(bar: Outcomes, probability: Callable[[Array, Array], Array], at: tuple[Array, Array] | None) -> Lattice:
    """Reached, with the probability that it came after the entry where the close and the open leave that open.

    Between close and high and between low and open it is w at the centre of each bin, or at the one place `at`.
    """
    upper_bins, lower_bins = (np.arange(2.0),) * 2
    if at is None:
        size = np.where(bar.high > bar.low, bar.high - bar.low, 1.0)
        upper_bins = _ends((bar.high - bar.close) / size)
        lower_bins = 1 - _ends((bar.open - bar.low) / size)[:, ::-1] ** UNEVEN
    upper = bar.close[:, None] * (1 - upper_bins) + bar.high[:, None] * upper_bins  # exact at both ends
    lower = bar.low[:, None] * (1 - lower_bins) + bar.open[:, None] * lower_bins
    weight = np.ones((len(bar.close), upper.shape[1], lower.shape[1]))
    if at is None:
        centres = [(ends[:, 1:] + ends[:, :-1]) / 2 for ends in (upper, lower)]
    else:
        centres = [
            np.clip(level[:, None], ends[:, :1], ends[:, 1:]) for level, ends in zip(at, (upper, lower), strict=True)
        ]
    wide = (np.diff(upper) > 0)[:, :, None] & (np.diff(lower) > 0)[:, None, :]
    weight[:, 1:, :-1] = np.where(wide, probability(*centres), 1.0)
    return upper, lower, weight


def _ends(share: Array) -> Array:
    """Ends `[N, BINS + 1]`, 0 to 1, of the bins of a side that is `share` `[N]` of its bar, empty ones first."""
    bins = np.clip(np.ceil(BINS * share - 1e-9), 1, BINS)
    ends: Array = np.maximum(0.0, 1 - (BINS - np.arange(BINS + 1)) / bins[:, None])
    return ends


LATTICES = {PROVABLE: _provable, EXPECTED: _expected, TOUCH: _touch}


def profit_terms(levels: Levels, bars: Outcomes, costs: Costs, fill: str, shortable: bool) -> ProfitTerms:
    """The terms `[N]` of a long on every bar, and of a short where the asset can be shorted."""
    legs = (long_leg, short_leg) if shortable else (long_leg,)
    return ProfitTerms(tuple(leg(levels, bars, costs, fill) for leg in legs))
