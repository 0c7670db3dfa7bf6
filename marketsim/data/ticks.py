"""The tick size, from the prices."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MOST = 8  # decimals
NOISE = 1e-7  # of a price, as single precision leaves it
SIGNIFICANT = 6  # digits of prices that have no step, for they were computed


def tick_decimals(prices: NDArray[np.float64]) -> int:
    """The decimals that all finite prices have, up to the noise of single precision.

    >>> tick_decimals(np.array([136.4799957, 139.25]))
    2
    """
    known = prices[np.isfinite(prices)]
    if not known.size:
        return 2
    for decimals in range(MOST + 1):
        if (np.abs(np.round(known, decimals) - known) <= NOISE * np.abs(known)).all():
            return decimals
    return MOST


def shown_decimals(prices: NDArray[np.float64]) -> int:
    """Decimals to show prices with: those of their tick, at least two, and no more than are significant."""
    largest = float(np.max(np.abs(prices[np.isfinite(prices)]), initial=1e-12))
    significant = SIGNIFICANT - 1 - int(np.floor(np.log10(largest)))
    return max(2, min(tick_decimals(prices), significant))


def order_tick(prices: NDArray[np.float64], is_pair: bool) -> float:
    """The step of prices at which an order is taken: that of the bars, of a stock no finer than a cent.

    US exchanges take stocks below a dollar to a hundredth of a cent (Rule 612 of Regulation NMS).

    >>> order_tick(np.array([138.853, 139.25]), is_pair=False), order_tick(np.array([138.853, 139.25]), is_pair=True)
    (0.01, 0.001)
    """
    if is_pair:
        return float(10.0 ** -shown_decimals(prices))
    finest = 2 if np.nanmin(prices) >= 1 else 4
    return float(10.0 ** -min(finest, tick_decimals(prices)))
