"""A leg's profit at candidates on a torch device: lines along either level, from the rows of leg_table.py."""

from __future__ import annotations

import math

import torch
from msgspec import Struct
from torch import Tensor

from marketsim.execution.profit_terms import LEVEL_TIE
from marketsim.optimizers.exact.leg_table import LegTable

Interval = tuple[float, float]


class DeviceLeg(Struct, frozen=True):
    """W bars of a leg in each of B problems. The first A problems have take-profits."""

    mirrored: bool
    upper_clip: Interval
    lower_clip: Interval
    size: Tensor | None  # [B, W, 1, 1] how much each bar counts; None: 1
    upper_ends: Tensor  # [B, W * E] candidates of the multiplier that the upper level follows
    lower_ends: Tensor  # [B, W * E] and of the other one
    jumps: Tensor  # [B, W * E]
    numbers: tuple[Tensor, ...]  # six of leg_table.py, each [B, W, 1, 1]
    lower_edges: Tensor  # [A, W, 1, Q]
    shares: Tensor  # [A, W, 2 + 2 * P, Q + 1]
    upper_edges: Tensor  # [A, W, 1, P]
    values: Tensor  # [A, W, 2 + 2 * P, P + 1]

    @classmethod
    def of(cls, table: LegTable, bars: Tensor, rows: Tensor, size: Tensor | None, aiming: int) -> DeviceLeg:
        """Of bars `[N, C]`, the rows of `table`, those with the numbers `rows` `[B, W]`; `aiming` is A."""
        shapes = [part.shape[1:] for part in table.parts]
        widths = [math.prod(shape) for shape in shapes]
        found = torch.index_select(bars, 0, rows.flatten().long()).view(*rows.shape, 1, -1)
        upper_ends, lower_ends, jumps, numbers, lattice = torch.split(found, [*widths[:4], sum(widths[4:])], dim=3)
        lower_edges, shares, upper_edges, values = torch.split(first(lattice, aiming), widths[4:], dim=3)
        return cls(
            table.mirrored,
            table.upper_clip,
            table.lower_clip,
            size,
            upper_ends.flatten(1),
            lower_ends.flatten(1),
            jumps.flatten(1),
            torch.split(numbers, 1, dim=3),
            lower_edges.contiguous(),
            shares.view(*shares.shape[:2], *shapes[5]),
            upper_edges.contiguous(),
            values.view(*values.shape[:2], *shapes[7]),
        )

    def lower_levels(self, x: Tensor) -> Tensor:
        """The lower level `[B, W, 1, K]` at own multipliers `[B, 1, 1, K]`."""
        return torch.clamp(self.numbers[0] + x, *self.lower_clip)

    def upper_levels(self, x: Tensor) -> Tensor:
        """The upper level `[A, W, 1, K]` at own multipliers `[A, 1, 1, K]`."""
        return torch.clamp(first(self.numbers[1], len(x)) + x, *self.upper_clip)

    def entries(self, level: Tensor) -> Tensor:
        """What the entries earn `[B, 1, K]`, closed at the close, at lower levels `[B, W, 1, K]`."""
        _, _, low, open_, at_level, per_lower = self.numbers
        earned = torch.addcmul(at_level, per_lower, torch.minimum(level, open_))
        earned = earned.masked_fill_(level - LEVEL_TIE <= low, 0.0)
        return (earned if self.size is None else earned * self.size).sum(1)

    def shares_at(self, level: Tensor) -> Tensor:
        """What is taken of every upper edge `[A, W * P, K]`, at lower levels `[A, W, 1, K]`."""
        return _at(self.lower_edges, self.shares, level).flatten(1, 2)

    def values_at(self, level: Tensor) -> Tensor:
        """What a share of one is worth, by upper edge `[A, W * P, K]`, at upper levels `[A, W, 1, K]`."""
        value = _at(self.upper_edges, self.values, level)
        return (value if self.size is None else value * first(self.size, len(value))).flatten(1, 2)


def first(x: Tensor, count: int) -> Tensor:
    """The first `count` of a tensor `[B, ...]`."""
    return x if len(x) <= count else x[:count]


def _at(edges: Tensor, lines: Tensor, level: Tensor) -> Tensor:
    """Lines `[A, W, P, K]` at levels `[A, W, 1, K]`: those of tables that lie between edges `[A, W, 1, E]`."""
    place, count = torch.searchsorted(edges, level - LEVEL_TIE), lines.shape[2] // 2 - 1
    found = torch.gather(lines, 3, place.expand(-1, -1, lines.shape[2], -1))
    start, width, value, slope = torch.split(found, [1, 1, count, count], dim=2)
    return torch.addcmul(value, slope, torch.minimum(level - start, width))
