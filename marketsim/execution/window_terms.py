"""Profit terms of windows that share their bars."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.execution.profit_terms import ProfitTerms


class WindowTerms(Struct, frozen=True):
    """The terms of B windows of W bars, without a copy of a bar for every window that has it."""

    bars: ProfitTerms  # [N]
    rows: NDArray[np.int64]  # [B, W] the bars of each window
    weights: NDArray[np.float64] | None = None  # [W] how much a bar counts by its place in the window; None: 1

    def __len__(self) -> int:
        return len(self.rows)

    def at(self, index: Any) -> WindowTerms:
        """The terms of some windows, as an array is indexed."""
        return replace(self, rows=self.rows[index])

    def gathered(self) -> ProfitTerms:
        """The same problems `[B, W]`, with bars of their own."""
        terms = self.bars.at(self.rows)
        return terms if self.weights is None else terms.sized(self.weights)


Problems: TypeAlias = ProfitTerms | WindowTerms  # B of them, of W bars each
