"""The right one of two readings of dates, by the spacing of the bars."""

from __future__ import annotations

import reprlib
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from marketsim.data.calendars.zones import DAY
from marketsim.data.reading.date_formats import prefer
from marketsim.data.reading.wanted import Wanted
from marketsim.errors import DataError

CLOSED = 4.5  # days: a pause of a daily market, with a holiday on either side of a weekend
SAME = 1.5  # steps within this factor of the median are one spacing
ODD = 0.01  # share of the steps that may be longer, in a regular series
SHORT = 0.05  # or shorter

Times = NDArray[np.datetime64]


def choose_reading(readings: Mapping[str, Times], where: str, cell: object, wanted: Wanted) -> str:
    """The format, of those that all cells fit, that is meant: that of the only regular spacing, else the convention's.

    Dates with full stops have the day first; those of no bars have no spacing.
    DataError, with both readings, where nothing decides.
    """
    if len(readings) == 1:
        return next(iter(readings))
    regular = [reading for reading, time in readings.items() if wanted.spaced and is_regular(time)]
    if len(regular) == 1:
        return regular[0]
    left = prefer(regular or list(readings), wanted.dates)
    if len(left) == 1 or left[0].startswith("%d."):
        return left[0]
    first, second = (f"{style} begins with {str(readings[style][0])[:10]}" for style in left[:2])
    untold = ", and the spacing of the bars does not tell which is meant" if wanted.spaced else ""
    raise DataError(
        f"{where}: {reprlib.repr(str(cell))} can be read in two ways{untold}: {first}, {second}; "
        f"{wanted.choice(left[:2])}"
    )


def is_regular(time: Times) -> bool:
    """Whether nearly all bars are one spacing apart, pauses of a market's nights, weekends and holidays aside."""
    steps = np.diff(np.unique(time[~np.isnat(time)])).astype(np.int64) / (DAY * 10**9)  # days
    if not len(steps):
        return True
    usual = float(np.median(steps))
    longer = float((steps > max(CLOSED, SAME * usual)).mean())
    shorter = float((steps < usual / SAME).mean()) if usual >= 1 else 0.0
    return longer <= ODD and shorter <= SHORT
