"""One axis of a leg's profit: where along a multiplier its pieces begin and end.

Private to side.py, which sees two of them for each leg, and to surface.py.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from marketsim.execution.arrays import Array, count_below, pick
from marketsim.execution.profit_terms import LEVEL_TIE


@dataclass(frozen=True, slots=True)
class Axis:
    """Levels `clip(move + x, *clip)` `[B, W]` for multipliers x inside `bounds`."""

    move: Array  # [B, W]
    clip: tuple[float, float]
    bounds: tuple[float, float]
    lowest: Array  # [B, W] level at the lower bound
    highest: Array  # [B, W] level at the upper bound

    def level(self, x: Array, xp: Any) -> Array:
        """The levels `[B, W, K]` of multipliers `[B, K]`."""
        return xp.clip(self.move[:, :, None] + x[:, None, :], *self.clip)

    def places(self, edges: Array, xp: Any) -> Array:
        """The multipliers `[B, W, E]` just above which the level is above `edges` `[B, W, E]`.

        -inf where it is so in the whole bounds, inf where it is so nowhere in them.
        """
        low, high = self.bounds
        edges = edges + LEVEL_TIE
        x = xp.clip(edges - self.move[:, :, None], low, math.nextafter(high, -math.inf))
        x = xp.where(edges < self.highest[:, :, None], x, xp.inf)
        return xp.where(edges < self.lowest[:, :, None], -xp.inf, x)

    def meetings(self, edges: Array, live: Array, step: float, xp: Any) -> Array:
        """The multipliers at which a level meets its edges, moved by `step`; inf where it never does."""
        there = live & (edges >= self.lowest[:, :, None] - LEVEL_TIE) & (edges < self.highest[:, :, None])
        x = xp.where(there, edges - self.move[:, :, None] + step, xp.inf)
        return xp.reshape(x, (x.shape[0], -1))

    def at(self, index: Any) -> Axis:
        """The axis of some problems."""
        return replace(self, move=self.move[index], lowest=self.lowest[index], highest=self.highest[index])


def make_axis(move: Array, clip: tuple[float, float], bounds: tuple[float, float], xp: Any) -> Axis:
    """The axis of levels that start from `move` `[B, W]`."""
    return Axis(move, clip, bounds, *(xp.clip(move + bound, *clip) for bound in bounds))


def candidates(ends: list[Array], bounds: tuple[float, float], pad: float, xp: Any) -> Array:
    """The candidates `[B, K]` of an axis, increasing: ends of cells, the bound `pad`, and zero."""
    low, high = bounds
    points = [xp.where(xp.isfinite(x), xp.clip(x, low, high), pad) for x in ends]
    points += [xp.full_like(ends[0][:, :1], x) for x in (pad, min(max(0.0, low), high))]
    x = xp.sort(xp.concat(points, axis=1), axis=1)
    width = 1 + int(xp.max(xp.count_nonzero(x != pad, axis=1)))
    return x[:, :width] if pad == high else x[:, x.shape[1] - width :]


def lines(axis: Axis, start: Array, cap: Array, offset: Array, slope: Array, at: Array, xp: Any) -> Array:
    """Sums `[B, K]` of `offset + slope * min(level, cap)` over the bars with `start < level`, at `at` `[B, K]`.

    Other arrays are `[B, W]`; the multipliers `at` may come in any order. In the multiplier it is a line, flat
    before the clip and after the cap: an offset and a rise for each piece, summed up along the axis.
    """
    low, high = axis.clip
    top = xp.minimum(cap, xp.full_like(cap, high))
    on = axis.places(start[:, :, None], xp)[:, :, 0]
    bends = [(low - axis.move, slope * (axis.move - low), slope), (top - axis.move, slope * (top - axis.move), -slope)]
    x, offsets, rises = [on], [offset + slope * low], [xp.zeros_like(on)]
    for bend, gained, rise in bends:
        offsets[0] = offsets[0] + xp.where(bend <= on, gained, 0.0)
        rises[0] = rises[0] + xp.where(bend <= on, rise, 0.0)
        if xp.any(later := (bend > on) & (bend < axis.bounds[1])):
            x.append(xp.where(later, bend, xp.inf))
            offsets.append(gained)
            rises.append(rise)
    places, order = ordered(xp.concat(x, axis=1), xp)
    steps = [pick(xp.concat(each, axis=1), order, xp) for each in (offsets, rises)]
    sums = xp.cumulative_sum(xp.stack(steps, axis=2), axis=1, include_initial=True)
    sums = pick(sums, count_below(places, at, xp), xp)
    return sums[:, :, 0] + sums[:, :, 1] * at


def ordered(x: Array, xp: Any) -> tuple[Array, Array]:
    """Places `[B, E]` in order, with where they were, and without those that are reached in no problem but one."""
    order = xp.argsort(x, axis=1)
    x = pick(x, order, xp)
    width = max(1, int(xp.max(xp.count_nonzero(x < xp.inf, axis=1))))
    return x[:, :width], order[:, :width]
