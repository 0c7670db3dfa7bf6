"""When the next bar should open."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

DAY = 86_400  # seconds


def next_open(times: NDArray[np.datetime64]) -> np.datetime64:
    """When the bar after `times` `[T]` should open: a median step later, not on a weekend day that no bar opened on.

    Nothing but the past enters, so that a forecast for tomorrow and one for a bar long known are made alike.
    """
    if len(times) < 2:
        step = np.timedelta64(DAY, "s")
    else:
        step = np.timedelta64(int(np.median(np.diff(times).astype(np.int64))), "s")
    following: np.datetime64 = times[-1] + step
    if step == np.timedelta64(DAY, "s") and not _weekend(times).any():
        while _weekend(following):
            following += step
    return following


def next_opens(times: NDArray[np.datetime64], count: int) -> NDArray[np.datetime64]:
    """When the `count` bars after `times` `[T]` should open, one after another; see `next_open`."""
    known = len(times)
    for _ in range(count):
        times = np.append(times, next_open(times))
    return times[known:]


def _weekend(times: Any) -> Any:
    """Whether stamps fall on a Saturday or Sunday; day 0 of the epoch was a Thursday."""
    return (times.astype("datetime64[D]").astype(np.int64) + 3) % 7 >= 5
