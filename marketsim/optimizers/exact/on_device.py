"""The exact maximum on a torch device, in float64: one upload, and three numbers back for each problem.

What depends on single bars is prepared here by numpy (leg_table.py), and so is how wide the arrays have to be.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from marketsim.execution.window_terms import Problems, WindowTerms
from marketsim.models.device import free_memory
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.above_floor import above_floor
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.device_grid import Fixed, best_of_grids
from marketsim.optimizers.exact.device_legs import DeviceLeg
from marketsim.optimizers.exact.device_problems import DeviceProblems
from marketsim.optimizers.exact.maximum import Optimum
from marketsim.optimizers.exact.placed_leg import PlacedLeg, legs_in_windows, placed_legs
from marketsim.optimizers.window_fit import Parts

Floats = NDArray[np.float64]

MEMORY = 1 << 30  # bytes used at once where the device does not tell what is free
PART = 0.8  # of what is free
BARS = 1 << 13  # of windows below a floor that are searched at once


class ExactOn(Exact):
    """`maximize` on `device`; what a floor forbids is searched again where the terms are."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def maximum(self, terms: Problems, bounds: Bounds) -> Optimum:
        """The best of every problem `[B, W]` without a floor."""
        legs = legs_in_windows([terms]) if isinstance(terms, WindowTerms) else placed_legs(terms)
        return self.best(legs, len(terms), bounds)

    def fit_together(self, parts: Parts, bounds: Bounds) -> list[Optimum]:
        """What `fit` finds for each of the parts."""
        count = [len(terms) for terms, _ in parts]
        found = self.best(legs_in_windows([terms for terms, _ in parts]), sum(count), bounds)
        ends = np.cumsum(count)
        optima = [found.at(slice(end - size, end)) for end, size in zip(ends, count, strict=True)]
        return [
            optimum
            if floor is None
            else above_floor(optimum, terms, bounds, floor, at_once=max(1, BARS // terms.rows.shape[1]))
            for optimum, (terms, floor) in zip(optima, parts, strict=True)
        ]

    def best(self, legs: Sequence[PlacedLeg], count: int, bounds: Bounds) -> Optimum:
        """The best of `count` problems without a floor; (0, 0), or what is nearest to it, of those without orders."""
        found = np.zeros((3, count))
        for row, within in zip(found, bounds, strict=False):
            row[:] = min(max(0.0, within[0]), within[1])
        if (problems := DeviceProblems.of(legs, bounds)) is not None:
            found[:, problems.number] = self._solved(problems)
        return Optimum(*found)

    def _solved(self, problems: DeviceProblems) -> Floats:
        """The best `[3, B]`: one upload, one download, and as many operations for a billion bytes as for one."""
        free = free_memory(self.device)
        size = max(1, int((MEMORY if free is None else PART * free) // problems.bytes_each))
        beside, h, l, *parts = self._sent(list(_arrays(problems)))
        found = []
        for first in range(0, len(problems), size):
            rows = slice(first, first + size)
            aiming = min(max(problems.aiming - first, 0), size)
            legs, left = [], iter(parts)
            for leg, table in zip(problems.legs, problems.tables, strict=True):
                bars, numbers = next(left), next(left)[rows]
                size_of = None if leg.size is None else next(left)[rows]
                legs.append(DeviceLeg.of(table, bars, numbers, size_of, aiming))
            found.append(best_of_grids(legs, beside[rows], Fixed(problems.bounds, h, l, *problems.most, aiming)))
        best: Floats = torch.cat(found).cpu().numpy().T
        return best

    def _sent(self, arrays: Sequence[Floats]) -> list[Tensor]:
        """The arrays on the device, by one copy."""
        sizes = [array.size for array in arrays]
        packed = torch.empty(sum(sizes), dtype=torch.float64, pin_memory=self.device.type == "cuda")
        np.concatenate([array.ravel() for array in arrays], out=packed.numpy())
        parts = torch.split(packed.to(self.device, non_blocking=True), sizes)
        return [part.view(array.shape) for part, array in zip(parts, arrays, strict=True)]


def _arrays(problems: DeviceProblems) -> Iterator[Floats]:
    """What is sent: of all problems, and then of every leg the bars, which of them problems have, and their sizes."""
    yield problems.beside[:, None]
    yield from problems.fixed
    for leg, table in zip(problems.legs, problems.tables, strict=True):
        bars = table.rows()
        yield bars
        yield np.where(leg.rows < 0, len(bars) - 1.0, leg.rows)
        if leg.size is not None:
            yield leg.size[:, :, None, None]
