"""Metrics of per-bar returns and of forecasts: pure functions of arrays, oldest bar first.

Returns are fractions of one stake that is never added to: profits add up, they do not compound. NaN is not
allowed in. A figure that a series cannot carry (no spread, too few bars) is None.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.tolerance import without_rounding

Returns = NDArray[np.float64]


def sharpe(returns: Returns, periods_per_year: int) -> float | None:
    """Annualized mean over standard deviation (Sharpe 1994), with no risk-free rate and N - 1 degrees of freedom."""
    if len(returns) < 2 or not without_rounding(spread := returns.std(ddof=1), _largest(returns)):
        return None
    return float(returns.mean() / spread * math.sqrt(periods_per_year))


def sortino(returns: Returns, periods_per_year: int) -> float | None:
    """Annualized mean over the root mean square of the losses (Sortino and Price 1994), target 0."""
    losses = np.minimum(without_rounding(returns, _largest(returns)), 0.0)
    downside = math.sqrt(float(np.mean(losses**2))) if len(returns) else 0.0
    if downside == 0:
        return None
    return float(returns.mean() / downside * math.sqrt(periods_per_year))


def max_drawdown(returns: Returns) -> float:
    """The largest fall of the summed returns from a peak, or from the start, as a fraction of the stake; >= 0."""
    equity = np.concatenate([[0.0], np.cumsum(returns)])
    falls = np.maximum.accumulate(equity) - equity
    return float(np.max(without_rounding(falls, _largest(equity))))


def _largest(amounts: Returns) -> float:
    """The largest absolute value, by which rounding is measured."""
    return float(np.max(np.abs(amounts), initial=0.0))
