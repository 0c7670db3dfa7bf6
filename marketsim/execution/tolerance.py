"""Rounding: differences of profits that count as zero, because profits are sums of rounded products."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from marketsim.execution.profit_terms import TIE


def without_rounding(profit: ArrayLike, traded: float = 1.0) -> NDArray[np.float64]:
    """The profits, exactly zero where they are within 1e-12 of what was `traded`.

    Parameters
    ----------
    profit
        Any shape, fractions of the stake.
    traded
        The largest amount that changed hands, a fraction of the stake; what is smaller than the stake counts as that.

    Examples
    --------
    >>> without_rounding([0.1 + 0.2 - 0.3, -0.25]).tolist()
    [0.0, -0.25]
    """
    values = np.asarray(profit, np.float64)
    return np.where(np.abs(values) <= TIE * max(1.0, traded), 0.0, values)
