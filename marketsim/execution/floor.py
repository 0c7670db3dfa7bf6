"""The floor: the least distance of a take-profit from its entry that covers a round trip."""

from __future__ import annotations

from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from marketsim.execution.arrays import Array, namespace
from marketsim.execution.profit_terms import LEVEL_TIE, LOWER_CLIP, UPPER_CLIP

Interval = tuple[float, float]


class Floor(Struct, frozen=True):
    """On the bars that B fits are made for, both levels lie at least `distance` apart.

    With `u = clip(high_move + h, *UPPER_CLIP)` and `d = clip(low_move + l, *LOWER_CLIP)` that is `u - d >= distance`:
    a line `h - l >= distance + low_move - high_move`, and where a clip binds one of `h` or `l` alone. What is allowed
    stays so as `h` rises and as `l` falls.
    """

    high_move: Array  # [B] forecast for the bar to be traded, move from the origin's close
    low_move: Array  # [B]
    distance: float  # fraction of the close

    def at(self, index: Any) -> Floor:
        """The floors of some fits, as an array is indexed."""
        return replace(self, high_move=self.high_move[index], low_move=self.low_move[index])

    @property
    def offset(self) -> Array:
        """`h - l` `[B]` on the line."""
        return self.distance + self.low_move - self.high_move

    @property
    def free_h(self) -> Array:
        """The `h` `[B]` from which on every `l` is allowed."""
        return self.distance - self.high_move

    @property
    def free_l(self) -> Array:
        """The `l` `[B]` up to which every `h` is allowed."""
        return -self.distance - self.low_move

    def line(self, bounds: tuple[Interval, Interval]) -> tuple[Array, Array]:
        """From which `l` to which, each `[B]`, the line is an edge of what is allowed; it is not where they cross."""
        xp = namespace(self.high_move)
        (h_low, h_high), (l_low, l_high) = bounds
        first = xp.maximum(xp.clip(self.free_l, l_low, None), h_low - self.offset)
        last = xp.minimum(xp.clip(-self.low_move, None, l_high), h_high - self.offset)
        return first, last

    def allows(self, h: Array, l: Array) -> Array:
        """Which multipliers `[B, ...]`, or such as broadcast to it, keep the distance."""
        xp = namespace(h)
        moves = (self._along(quantiles, h, l) for quantiles in (self.high_move, self.low_move))
        u, d = (xp.clip(move + x, *clip) for move, x, clip in zip(moves, (h, l), (UPPER_CLIP, LOWER_CLIP), strict=True))
        return u - d >= self.distance - LEVEL_TIE

    def nearest(self, h: Array, l: Array, bounds: tuple[Interval, Interval]) -> tuple[Array, Array]:
        """Multipliers `[B, ...]` with `h` raised as far as it takes and, where the bound is in the way, `l` lowered."""
        xp = namespace(h)
        (_, h_high), (l_low, _) = bounds
        high_move, low_move = (self._along(quantiles, h, l) for quantiles in (self.high_move, self.low_move))
        needed = self.distance + xp.clip(low_move + l, *LOWER_CLIP) - high_move
        h = xp.where(self.allows(h, l), h, xp.clip(xp.maximum(h, needed), None, h_high))
        room = xp.clip(high_move + h, *UPPER_CLIP) - self.distance - low_move
        l = xp.where(self.allows(h, l), l, xp.clip(xp.minimum(l, room), l_low, None))
        return h, l

    @staticmethod
    def _along(move: Array, h: Array, l: Array) -> Array:
        """Moves `[B]` with as many axes as the multipliers."""
        return move[(slice(None), *(None,) * (max(h.ndim, l.ndim) - 1))]
