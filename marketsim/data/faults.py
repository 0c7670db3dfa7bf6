"""The rules that the stamps and the numbers of bars keep."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import DataError

CHANNELS = ("open", "high", "low", "close")
COLUMNS = (*CHANNELS, "volume")


def check_order(time: NDArray[np.datetime64], place: Callable[[int], str], column: str) -> None:
    """DataError for a stamp in `time` [T] that comes after a later one; which of the two is wrong cannot be told."""
    if (time[1:] >= time[:-1]).all():  # never true of a NaT
        return
    rows = np.flatnonzero(~np.isnat(time))
    back = np.flatnonzero(time[rows][1:] < time[rows][:-1])
    if len(back):
        before, row = rows[back[0]], rows[back[0] + 1]
        raise DataError(
            f"{place(int(row))}, column '{column}': {time[row]} comes after {time[before]}; "
            "stamps must increase, oldest first"
        )


def faults(ohlcv: NDArray[np.float64]) -> dict[int, str]:
    """The rows of `ohlcv` [T, 5] that break a rule, each with column, value and rule in words."""
    open_, high, low, close, volume = ohlcv.T
    good = (low > 0) & (low <= open_) & (low <= close) & (high >= open_) & (high >= close) & (high < np.inf)
    if good.all() and not ((volume < 0) | np.isinf(volume)).any():
        return {}
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
