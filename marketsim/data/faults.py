"""The rules that the numbers of a bar keep."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

CHANNELS = ("open", "high", "low", "close")


def faults(ohlcv: NDArray[np.float64]) -> dict[int, str]:
    """The rows of `ohlcv` [T, 5] that break a rule, each with column, value and rule in words."""
    open_, high, low, close, volume = ohlcv.T
    rules = [
        (name, values, ~((values > 0) & (values < np.inf)), "is not a positive, finite price")
        for name, values in zip(CHANNELS, ohlcv.T, strict=False)
    ]
    rules += [
        ("high", high, high < low, "is below the low"),
        ("high", high, high < np.maximum(open_, close), "is below the open or the close"),
        ("low", low, low > np.minimum(open_, close), "is above the open or the close"),
        ("volume", volume, (volume < 0) | np.isinf(volume), "is negative or infinite"),
    ]
    found: dict[int, str] = {}
    for name, values, wrong, words in rules:
        for row in np.flatnonzero(wrong):
            found.setdefault(int(row), f"column '{name}': {values[row]} {words}")
    return found
