"""Multipliers for the windows of a walk, by any optimizer, and what they would have earned as it is booked."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.lattices import PRECISIONS
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.execution.windows import Windows
from marketsim.optimizers import Optimizer
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.settings.choices import EXPECTED

TOGETHER = 1 << 13  # bars of the windows that are fitted at once, which bounds memory
AGREEMENT = 0.4e-4  # a bar, as a fraction of the close: what the surface may claim more or less than is booked


class WindowFit(Struct, frozen=True):
    """The multipliers of B windows, and what they would have earned on the W bars of theirs."""

    high_multiplier: NDArray[np.float64]  # [B]
    low_multiplier: NDArray[np.float64]  # [B]
    booked: NDArray[np.float64]  # [B, W] profit of each bar, fraction of the close before it
    in_sample: NDArray[np.float64]  # [B] sum of them by the windows' weights
    claimed: NDArray[np.float64]  # [B] the same on the surface that was maximized
    allowed: NDArray[np.bool_]  # [B] whether they keep the floor; where one does not, none inside the bounds does
    fallbacks: int = 0  # problems that a search gave up on and another one finished

    @classmethod
    def concatenate(cls, parts: Sequence[WindowFit]) -> WindowFit:
        """The fits of windows one after the other."""
        return cls(
            high_multiplier=np.concatenate([part.high_multiplier for part in parts]),
            low_multiplier=np.concatenate([part.low_multiplier for part in parts]),
            booked=np.concatenate([part.booked for part in parts]),
            in_sample=np.concatenate([part.in_sample for part in parts]),
            claimed=np.concatenate([part.claimed for part in parts]),
            allowed=np.concatenate([part.allowed for part in parts]),
            fallbacks=sum(part.fallbacks for part in parts),
        )


def fit_windows(windows: Windows, terms: ProfitTerms, optimizer: Optimizer, bounds: Bounds, seed: int) -> WindowFit:
    """Fit every window; `terms` `[N]` are those of all bars to the first precision, which strategies may share.

    Take-profits in doubt make `expected` profits a surface that is known to a precision. A window whose optimum it
    prices otherwise than it is booked is fitted again to the next one. What a window gets depends on its own bars
    alone.
    """
    size = max(1, TOGETHER // windows.rows.shape[1])
    if size >= len(windows):
        return _fit(windows, terms, optimizer, bounds, seed)
    parts = (windows.at(slice(first, first + size)) for first in range(0, len(windows), size))
    return WindowFit.concatenate([_fit(part, terms, optimizer, bounds, seed) for part in parts])


def _fit(windows: Windows, terms: ProfitTerms, optimizer: Optimizer, bounds: Bounds, seed: int) -> WindowFit:
    """`fit_windows` of few windows."""
    found = optimizer.fit(windows.fitted_to(terms), bounds, seed, windows.floor)
    h, l, claimed, fallbacks = found.high_multiplier, found.low_multiplier, found.profit, found.fallbacks
    booked = windows.booked(h, l)
    exact = windows.close_at_eod or windows.fill != EXPECTED
    for precision in () if exact else PRECISIONS[1:]:
        (apart,) = np.nonzero(np.abs(claimed - windows.summed(booked)) > AGREEMENT * windows.rows.shape[1])
        if not apart.size:
            break
        some = windows.at(apart)
        again = optimizer.fit(some.terms(precision), bounds, seed, some.floor)
        h[apart], l[apart], claimed[apart] = again.high_multiplier, again.low_multiplier, again.profit
        booked[apart] = some.booked(h[apart], l[apart])
        fallbacks += again.fallbacks
    allowed = np.ones(len(h), bool) if windows.floor is None else windows.floor.allows(h, l)
    return WindowFit(h, l, booked, windows.summed(booked), claimed, allowed, fallbacks)
