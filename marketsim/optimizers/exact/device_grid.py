"""The best candidates of many grids, on a torch device.

The number of operations does not depend on that of the problems, nor is the device asked for anything in between:
arrays are as wide as the host says that they have to be, and filled up with what cannot be chosen.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import torch
from msgspec import Struct
from torch import Tensor

from marketsim.execution.profit_terms import TIE
from marketsim.optimizers.exact.candidates import Bounds, Interval
from marketsim.optimizers.exact.device_legs import DeviceLeg, first


class Fixed(Struct, frozen=True):
    """The candidates of all problems, how many they have together with their own, and which ones have take-profits."""

    bounds: Bounds
    h: Tensor  # [K]
    l: Tensor  # [K]
    most_h: int  # of a problem
    most_l: int
    aiming: int  # the first A of B problems


def best_of_grids(legs: Sequence[DeviceLeg], beside: Tensor, fixed: Fixed) -> Tensor:
    """The best `h`, `l` and their profits `[B, 3]`.

    `beside` `[B, 1]` is how far from a jump there is a candidate on its other side: zero where a long may meet a short,
    and infinite where there is none.
    """
    h, l = _candidates(legs, beside, fixed)
    by_h, by_l, grids = torch.zeros_like(h), torch.zeros_like(l), []
    along_l, along_h = [], []  # factors of the take-profits, [A, W * P, K]
    for leg in legs:
        lower, upper = (-h[:, None], -l[:, None]) if leg.mirrored else (l[:, None], h[:, None])
        level = leg.lower_levels(lower)
        if leg.mirrored:
            by_h += leg.entries(level)
        else:
            by_l += leg.entries(level)
        if fixed.aiming:
            shares = leg.shares_at(first(level, fixed.aiming))
            values = leg.values_at(leg.upper_levels(first(upper, fixed.aiming)))
            along_l.append(values if leg.mirrored else shares)
            along_h.append(shares if leg.mirrored else values)
    if fixed.aiming:
        left, right = _joined(along_l, 1), _joined(along_h, 1)
        grids.append(torch.baddbmm(first(by_h, fixed.aiming), left.transpose(1, 2), right))
    if fixed.aiming < len(h):
        grids.append(by_h[fixed.aiming :])  # the same for every l
    return _best(grids, by_l.transpose(1, 2), h, l.transpose(1, 2))


def _candidates(legs: Sequence[DeviceLeg], beside: Tensor, fixed: Fixed) -> tuple[Tensor, Tensor]:
    """Candidates `[B, 1, K]` of h and of l, increasing; filled up with the upper bound of h and the lower one of l."""
    h, l = [fixed.h.expand(len(beside), -1)], [fixed.l.expand(len(beside), -1)]
    for leg in legs:
        if leg.mirrored:
            h += [leg.lower_ends, leg.jumps + beside]
            l.append(leg.upper_ends)
        else:
            h.append(leg.upper_ends)
            l += [leg.lower_ends, leg.jumps - beside]
    along_h, along_l = _increasing(h, fixed.bounds[0]), _increasing(l, fixed.bounds[1])
    return along_h[:, None, : fixed.most_h], along_l[:, None, -fixed.most_l :]


def _increasing(ends: Sequence[Tensor], bounds: Interval) -> Tensor:
    return torch.sort(torch.cat(list(ends), dim=1).clamp_(*bounds), dim=1)[0]


def _best(grids: Sequence[Tensor], by_l: Tensor, h: Tensor, l: Tensor) -> Tensor:
    """The best `[B, 3]` of grids `[., K_l or 1, K_h]`, which lack what `[B, K_l, 1]` depends on l alone.

    Candidates are `[B, 1, K_h]` of h and `[B, K_l, 1]` of l; the one nearest to zero is chosen among equals.
    """
    size_h, counts = h.abs(), [len(grid) for grid in grids]
    tops, least = [], []
    for grid, size in zip(grids, _parts(size_h, counts), strict=True):
        top = grid.amax(2, keepdim=True)
        near = size.masked_fill(grid < top - TIE, inf).amin(2, keepdim=True)
        tops.append(top.expand(-1, l.shape[1], -1))
        least.append(near.expand(-1, l.shape[1], -1))
    profit = _joined(tops, 0) + by_l
    far = profit < profit.amax(1, keepdim=True) - TIE
    at_l = (_joined(least, 0) + l.abs()).masked_fill_(far, inf).argmin(1, keepdim=True)
    rows = []
    for grid, at in zip(grids, _parts(at_l, counts), strict=True):
        rows.append(grid.gather(1, at.expand(-1, -1, grid.shape[2])) if grid.shape[1] > 1 else grid)
    row = _joined(rows, 0)
    far = row < row.amax(2, keepdim=True) - TIE
    at_h = size_h.masked_fill_(far, inf).argmin(2, keepdim=True)
    profit = row.gather(2, at_h) + by_l.gather(1, at_l)
    return torch.cat([h.gather(2, at_h), l.gather(1, at_l), profit], dim=1).flatten(1)


def _parts(x: Tensor, counts: Sequence[int]) -> Sequence[Tensor]:
    return torch.split(x, list(counts)) if len(counts) > 1 else [x]


def _joined(parts: Sequence[Tensor], dim: int) -> Tensor:
    return torch.cat(list(parts), dim=dim) if len(parts) > 1 else parts[0]
