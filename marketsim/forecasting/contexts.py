"""The contexts of one symbol's origins, the input of a pretrained model."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.bars import Bars
from marketsim.data.calendars.zones import to_local


class Contexts(Struct, frozen=True, eq=False):
    """Bars that end at their origins, and stamps that go on to the bars to be forecast.

    Stamps are what the exchange's clocks show, for that is what a market's hours and weekdays are.
    """

    ohlcv: NDArray[np.float64]  # [T, 5]
    times: NDArray[np.datetime64]  # [T] datetime64[s], the bars' opens
    origins: NDArray[np.int64]  # [N]
    following: NDArray[np.datetime64]  # [N, K] opens of the K bars after each origin
    longest: int  # bars of a context

    @classmethod
    def of(cls, bars: Bars, origins: NDArray[np.int64], longest: int, ahead: int = 1) -> Contexts:
        """The contexts of `origins`, of at most `longest` bars, for a model that looks `ahead` bars ahead."""
        opens = [bars.time[origins]]
        for _ in range(ahead):
            opens.append(bars.timetable.following(opens[-1]))
        following = to_local(np.concatenate(opens[1:]), bars.timetable.zone).reshape(ahead, len(origins)).T
        return cls(bars.ohlcv, to_local(bars.time, bars.timetable.zone), origins, following, longest)

    def length(self, row: int) -> int:
        """L of one context."""
        return min(self.longest, int(self.origins[row]) + 1)

    def at(self, row: int) -> tuple[NDArray[np.float64], NDArray[np.datetime64]]:
        """One context: bars `[L, 5]` and stamps `[L + K]`."""
        stop = int(self.origins[row]) + 1
        rows = slice(stop - self.length(row), stop)
        return self.ohlcv[rows], np.append(self.times[rows], self.following[row])
