"""Means with their intervals on one axis."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from marketsim.results.figures import Mean, signed

WIDTH = 400  # of the picture, in its own units
EDGE = 8


class IntervalLine(Struct, frozen=True):
    """A mean and its interval, as places in the picture."""

    label: str
    low: float | None
    mean: float
    high: float | None
    text: str


class IntervalPicture(Struct, frozen=True):
    """Lines below one another, and where zero is."""

    lines: list[IntervalLine]
    zero: float


def interval_picture(rows: Sequence[tuple[str, Mean]]) -> IntervalPicture | None:
    """The picture of labelled means; None without any."""
    if not rows:
        return None
    ends = [0.0, *(end for _, row in rows for end in (row.low_bps, row.mean_bps, row.high_bps) if end is not None)]
    least, most = min(ends), max(ends)
    room = (most - least) or 1.0

    def place(value: float) -> float:
        return round(EDGE + (WIDTH - 2 * EDGE) * (value - least) / room, 1)

    lines = [
        IntervalLine(
            label=label,
            low=None if row.low_bps is None else place(row.low_bps),
            mean=place(row.mean_bps),
            high=None if row.high_bps is None else place(row.high_bps),
            text=signed(row.mean_bps),
        )
        for label, row in rows
    ]
    return IntervalPicture(lines, place(0.0))
