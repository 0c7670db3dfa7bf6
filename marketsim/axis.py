"""One axis of the profit terms: where along a multiplier their rectangles begin and end.

Private to surface.py, which sees two of them: the upper level along `h` and the lower one along `l`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

from marketsim.fills import LOWER_CLIP, UPPER_CLIP, ProfitTerms

Array = Any  # of the namespace in use, numpy's or torch's
Bounds = tuple[tuple[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Axis:
    """One axis of some terms: `slope * level` where `start < level <= stop`, all `[B, M]`."""

    move: Array
    start: Array
    stop: Array
    slope: Array
    lowest: Array  # level inside the bounds
    highest: Array  # level inside the bounds
    clip: tuple[float, float]
    bounds: tuple[float, float]

    def at(self, index: Any) -> Axis:
        """The same axis of some problems or columns, as an array is indexed."""
        each = (a[index] for a in (self.move, self.start, self.stop, self.slope, self.lowest, self.highest))
        move, start, stop, slope, lowest, highest = each
        return Axis(move, start, stop, slope, lowest, highest, self.clip, self.bounds)

    def matters(self) -> Array:
        """Whether profit depends on the level inside the bounds, `[B, M]`."""
        return (self.slope != 0) | (self.start >= self.lowest) | (self.stop < self.highest)

    def reachable(self, xp: Any) -> Array:
        """Whether some level inside the bounds is in the interval, `[B, M]`."""
        return (self.start < xp.minimum(self.highest, self.stop)) & (self.stop >= self.lowest)

    def only(self, live: Array, xp: Any) -> Axis:
        """The axis with the intervals of all other terms emptied."""
        start, stop = xp.where(live, self.start, xp.inf), xp.where(live, self.stop, -xp.inf)
        return replace(self, start=start, stop=stop, slope=xp.where(live, self.slope, 0.0))

    def ends(self, step: float, xp: Any) -> Array:
        """The candidates `[B, K]` of an axis, increasing: the ends of its cells, `step` inside, and zero."""
        low, high = self.bounds
        pad = high if step < 0 else low
        points = [xp.full_like(self.move[:, :1], x) for x in (pad, min(max(0.0, low), high))]
        points += [
            xp.where((edge >= self.lowest) & (edge < self.highest), edge - self.move + step, pad)
            for edge in (self.start, self.stop)
        ]
        x = xp.sort(xp.clip(xp.concat(points, axis=1), low, high), axis=1)
        new = x[:, 1:] != x[:, :-1]
        x = xp.sort(xp.concat([x[:, :1], xp.where(new, x[:, 1:], pad)], axis=1), axis=1)
        width = 1 + int(xp.max(xp.count_nonzero(new, axis=1)))
        return x[:, :width] if step < 0 else x[:, x.shape[1] - width :]

    def switches(self, xp: Any) -> tuple[Array, Array]:
        """The multipliers `[B, M]` just above which an interval is on, and is off again.

        -inf where that is so in the whole bounds, inf where it is so nowhere in them.
        """
        low, high = self.bounds
        below = math.nextafter(high, -math.inf)
        on, off = (xp.clip(edge - self.move, low, below) for edge in (self.start, self.stop))
        on = xp.where(self.start < self.lowest, -xp.inf, xp.where(self.start < self.highest, on, xp.inf))
        return on, xp.where((self.stop >= self.lowest) & (self.stop < self.highest), off, xp.inf)


def axes(terms: ProfitTerms, bounds: Bounds, xp: Any) -> tuple[Axis, Axis]:
    """The upper levels' axis along `h`, and the lower levels' along `l`."""

    def along(
        move: Array, start: Array, stop: Array, slope: Array, clip: tuple[float, float], within: tuple[float, float]
    ) -> Axis:
        lowest, highest = (xp.clip(move + bound, *clip) for bound in within)
        return Axis(move, start, stop, slope, lowest, highest, clip, within)

    upper = (terms.high_move, terms.upper_from, terms.upper_to, terms.per_upper)
    lower = (terms.low_move, terms.lower_from, terms.lower_to, terms.per_lower)
    return along(*upper, UPPER_CLIP, bounds[0]), along(*lower, LOWER_CLIP, bounds[1])


def namespace(x: Array) -> Any:
    """The array namespace of `x`."""
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    from array_api_compat import array_namespace  # numpy is its own namespace and starts faster without it

    return array_namespace(x)
