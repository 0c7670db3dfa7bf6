"""Prices too far apart to be right: a misplaced decimal point, cents among dollars."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.present import without_midnight

FARTHEST = 50.0  # times a price that the next may be, or the high the low; more is a wrong number, or a misread one


def jumps(close: NDArray[np.float64]) -> NDArray[np.intp]:
    """The rows of closes `[R]` that the next is too far from."""
    with np.errstate(all="ignore"):
        ratio = close[1:] / close[:-1]
        return np.flatnonzero((ratio > FARTHEST) | (ratio < 1 / FARTHEST))


def far_apart(bars: Bars) -> tuple[str, ...]:
    """Notes of bars whose high is far above their low, and of closes far from the close before."""
    high, low, close = bars.high, bars.low, bars.close
    notes = []
    rows = np.flatnonzero(high / FARTHEST > low)
    if len(rows):
        first = f"from {low[rows[0]]:g} to {high[rows[0]]:g} on {without_midnight(bars.time[rows[0]])}"
        notes.append(
            f"{bars.symbol}: prices of one bar go {first}{_more(len(rows), 'such bar')}; look for a wrong price"
        )
    rows = jumps(close)
    if len(rows):
        first = f"{close[rows[0]]:g} to {close[rows[0] + 1]:g} on {without_midnight(bars.time[rows[0] + 1])}"
        also = _more(len(rows), "such jump")
        notes.append(f"{bars.symbol}: the close goes from {first}{also}; look for a wrong price or another unit")
    return tuple(notes)


def _more(count: int, what: str) -> str:
    return f", and {count - 1:,} more {what}{'s' if count > 2 else ''}" if count > 1 else ""
