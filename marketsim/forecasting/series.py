"""The input of a history model: the bars of one symbol, and its name."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.zones import DAY, to_local

SHORTEST_DAY = 0.9 * DAY  # seconds


class Series(Struct, frozen=True, eq=False):
    """One symbol's T bars, oldest first.

    Examples
    --------
    >>> times = np.array(["2024-07-01", "2024-07-02"], "datetime64[s]")
    >>> series = Series("NVDA", times, np.ones((2, 5)))
    >>> len(series), len(series.until(0))
    (2, 1)
    """

    symbol: str  # canonical, such as "ETHUSD"
    times: NDArray[np.datetime64]  # [T] datetime64[s], UTC, the bars' opens
    ohlcv: NDArray[np.float64]  # [T, 5] open, high, low, close (price units), volume (units, NaN where absent)
    zone: str = "UTC"  # of the exchange's clocks
    following: NDArray[np.datetime64] | None = None  # [T] of bars shorter than a day: when the next one should open

    @classmethod
    def of(cls, bars: Bars) -> Series:
        """All of `bars`."""
        table = bars.timetable
        following = table.following(bars.time) if table.spacing < SHORTEST_DAY else None
        return cls(bars.symbol, bars.time, bars.ohlcv, table.zone, following)

    def __len__(self) -> int:
        return len(self.times)

    def until(self, origin: int) -> Series:
        """The bars up to `origin`, itself included: all that a forecast at `origin` may use."""
        known = slice(origin + 1)
        following = None if self.following is None else self.following[known]
        return Series(self.symbol, self.times[known], self.ohlcv[known], self.zone, following)

    @property
    def local_times(self) -> NDArray[np.datetime64]:
        """`times` as the exchange's clocks show them, for hours and weekdays."""
        return to_local(self.times, self.zone)

    @property
    def local_following(self) -> NDArray[np.datetime64] | None:
        """`following` as the exchange's clocks show it."""
        return None if self.following is None else to_local(self.following, self.zone)
