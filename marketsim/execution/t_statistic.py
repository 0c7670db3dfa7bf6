"""The t statistic of a window's profits."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.tolerance import without_rounding

Floats = NDArray[np.float64]


def t_statistic(profits: Floats, weights: Floats | None = None) -> Floats:
    """The mean of per-bar profits over its standard error, for each window.

    With weights the mean and the spread are weighted, and the number of bars is the effective one,
    `n = sum(w)**2 / sum(w**2)` (Kish 1965); the standard error is `sqrt(variance / (n - 1))`, which without weights is
    the usual one.

    Parameters
    ----------
    profits
        `[B, W]` of B windows, fractions of the stake; zero on bars without a trade.
    weights
        `[W]`, above zero; None for equal ones.

    Returns
    -------
    `[B]`: zero where nothing was earned on any bar, and for one bar, which shows nothing; infinite where the same was
    earned on every bar.

    Examples
    --------
    >>> t_statistic(np.array([[0.01, 0.0, 0.03, 0.0], [0.0, 0.0, 0.0, 0.0]])).round(3).tolist()
    [1.414, 0.0]
    """
    window = profits.shape[1]
    share = np.full(window, 1.0 / window) if weights is None else weights / weights.sum()
    effective = 1.0 / float(np.sum(share**2))
    if effective <= 1.0 + 1e-9:
        return np.zeros(len(profits))
    mean = _row_sums(profits * share)
    spread = without_rounding(np.sqrt(_row_sums((profits - mean[:, None]) ** 2 * share)))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = without_rounding(mean) / np.where(spread > 0, spread / np.sqrt(effective - 1.0), 0.0)
    return np.where((spread == 0) & (without_rounding(mean) == 0), 0.0, t)


def _row_sums(values: Floats) -> Floats:
    """Sums of rows, each of its own bars alone, in their order: a matrix product rounds by how many rows there are."""
    sums: Floats = np.ascontiguousarray(values).sum(1)
    return sums
