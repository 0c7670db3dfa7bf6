"""A level shifted by a multiplier: its position, and where it meets the edges of a leg's lattice."""

from __future__ import annotations

import math
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from marketsim.execution.arrays import Array, namespace
from marketsim.execution.profit_terms import LEVEL_TIE


class ShiftedLevel(Struct, frozen=True):
    """Levels `clip(move + x, *clip)` `[B, W]` for multipliers x inside `bounds`."""

    move: Array  # [B, W]
    clip: tuple[float, float]
    bounds: tuple[float, float]
    lowest: Array  # [B, W] level at the lower bound
    highest: Array  # [B, W] level at the upper bound

    @classmethod
    def of(cls, move: Array, clip: tuple[float, float], bounds: tuple[float, float]) -> ShiftedLevel:
        """The levels that start from `move` `[B, W]`."""
        xp = namespace(move)
        lowest, highest = (xp.clip(move + bound, *clip) for bound in bounds)
        return cls(move, clip, bounds, lowest, highest)

    def at(self, x: Array) -> Array:
        """The levels `[B, W, K]` of multipliers `[B, K]`."""
        return namespace(x).clip(self.move[:, :, None] + x[:, None, :], *self.clip)

    def passing(self, edges: Array) -> Array:
        """The multipliers just above which the level is above `edges` `[B, W, E]`.

        -inf where it is so in the whole bounds, inf where it is so nowhere in them.
        """
        xp = namespace(edges)
        low, high = self.bounds
        edges = edges + LEVEL_TIE
        x = xp.clip(edges - self.move[:, :, None], low, math.nextafter(high, -math.inf))
        x = xp.where(edges < self.highest[:, :, None], x, xp.inf)
        return xp.where(edges < self.lowest[:, :, None], -xp.inf, x)

    def meeting(self, edges: Array, live: Array, step: Array) -> Array:
        """The multipliers at which the level meets `live` edges, moved by a step each, all `[B, W, E]`; inf elsewhere.

        `[B, W * E]`, in no order.
        """
        xp = namespace(edges)
        there = live & (edges >= self.lowest[:, :, None] - LEVEL_TIE) & (edges < self.highest[:, :, None])
        x = xp.where(there, edges - self.move[:, :, None] + step, xp.inf)
        return xp.reshape(x, (x.shape[0], -1))

    def of_problems(self, index: Any) -> ShiftedLevel:
        """The levels of some problems."""
        return replace(self, move=self.move[index], lowest=self.lowest[index], highest=self.highest[index])
