"""Blocks of neighboring bars, drawn with replacement: the resamples of the moving-block bootstrap.

Kuensch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics 17(3), 1989.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.results.draws import places

RESAMPLES = 2000

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


class Blocks(Struct, frozen=True):
    """R resamples of N bars, each of K blocks of `ceil(N ** (1/3))` bars."""

    bars: int  # N
    length: int  # of a block
    starts: NDArray[np.int64]  # [R, K] first bars

    @classmethod
    @lru_cache(2)  # every row of a symbol asks for the same ones
    def drawn(cls, bars: int, seed: int) -> Blocks:
        """Drawn blocks; the same seed gives the same blocks for every series of the same length."""
        length = block_length(bars)
        shape = (RESAMPLES, math.ceil(bars / length))
        return cls(bars, length, places(seed, bars - length + 1, shape))

    @property
    def blocks(self) -> int:
        """K, of which the last is cut so that a resample has N bars."""
        return int(self.starts.shape[1])

    def sums(self, values: Floats) -> Floats:
        """The sum `[R]` of `values` `[N]` over each resample."""
        total = np.concatenate([[0.0], np.cumsum(values)])
        whole: Floats = (total[self.length :] - total[: -self.length]).take(self.starts).sum(1)
        if not (overhang := self.blocks * self.length - self.bars):
            return whole
        beyond = total[overhang:] - total[:-overhang]
        cut: Floats = whole - beyond.take(self.starts[:, -1] + (self.length - overhang))
        return cut


def block_length(bars: int) -> int:
    """The cube root of the number of bars, rounded up."""
    length: int = math.ceil(bars ** (1 / 3))
    return length
