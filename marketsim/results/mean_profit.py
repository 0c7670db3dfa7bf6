"""A mean profit with the figures beside it in every table: interval, smallest edge, bars for 10 bps."""

from __future__ import annotations

from msgspec import Struct

from marketsim.results.significance import Interval, in_bps
from marketsim.settings.choices import BASIS_POINTS

EDGE = 10.0  # basis points a bar


class MeanProfit(Struct, frozen=True):
    """In basis points of the stake, a bar; no more than the mean where it has no interval."""

    mean_bps: float
    low_bps: float | None  # ends of the interval
    high_bps: float | None
    smallest_edge_bps: float | None  # that so many bars show in 4 of 5 cases
    bars_for_10_bps: int | None  # that an edge of 10 basis points a bar would need

    @classmethod
    def of(cls, mean: float, interval: Interval | None, bars: int) -> MeanProfit:
        """Of a `mean` and its `interval`, fractions of the stake, over so many `bars`."""
        mean_bps, ends = float(BASIS_POINTS * mean), in_bps(interval)
        if ends is None:
            return cls(mean_bps, None, None, None, None)
        return cls(mean_bps, ends.low, ends.high, ends.smallest_edge, ends.bars_for(EDGE, bars))
