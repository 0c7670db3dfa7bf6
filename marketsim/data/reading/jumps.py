"""Prices too far apart to be right: a misplaced decimal point, cents among dollars."""

from __future__ import annotations

import numpy as np

from marketsim.data.bars import Bars

FARTHEST = 50.0  # times a price that the next may be, or the high the low, before a note says so


def far_apart(bars: Bars) -> tuple[str, ...]:
    """Notes of bars whose high is far above their low, and of closes far from the close before."""
    high, low, close = bars.high, bars.low, bars.close
    notes = []
    rows = np.flatnonzero(high / FARTHEST > low)
    if len(rows):
        first = f"from {low[rows[0]]:g} to {high[rows[0]]:g} on {_name(bars, rows[0])}"
        notes.append(
            f"{bars.symbol}: prices of one bar go {first}{_more(len(rows), 'such bar')}; look for a wrong price"
        )
    rows = np.flatnonzero(np.maximum(close[1:], close[:-1]) / FARTHEST > np.minimum(close[1:], close[:-1]))
    if len(rows):
        first = f"{close[rows[0]]:g} to {close[rows[0] + 1]:g} on {_name(bars, rows[0] + 1)}"
        also = _more(len(rows), "such jump")
        notes.append(f"{bars.symbol}: the close goes from {first}{also}; look for a wrong price or another unit")
    return tuple(notes)


def _name(bars: Bars, row: np.intp) -> str:
    return str(bars.time[row]).removesuffix("T00:00:00")


def _more(count: int, what: str) -> str:
    return f", and {count - 1:,} more {what}{'s' if count > 2 else ''}" if count > 1 else ""
