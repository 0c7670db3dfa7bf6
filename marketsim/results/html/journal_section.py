"""The journal's section of a page in plain values; the journal layer fills it, the templates show it."""

from __future__ import annotations

from msgspec import Struct

from marketsim.results.text_tables import TextTable


class EquityPicture(Struct, frozen=True):
    """Summed profit of a strategy since it was sealed, beside what was promised; points in a box of 600 by 200."""

    title: str
    words: str  # what it shows, for those who do not see it
    realized: str  # points of a line
    promised: str
    band: str  # points of the promised interval's outline; "" where there is none
    zero: float  # height of no profit
    high: str  # figures at the top and at the bottom
    low: str


class SealedChannel(Struct, frozen=True):
    """Where the prices of one kind fell among their sealed quantiles."""

    channel: str
    pit: list[float]  # shares below, between and above


class SealedForecasts(Struct, frozen=True):
    """Calibration of a symbol's forecasts since they were sealed."""

    symbol: str
    words: str  # how many bars
    channels: list[SealedChannel]


class JournalSection(Struct, frozen=True):
    """The journal on a page."""

    place: str
    head: str
    tables: list[TextTable]
    pictures: list[EquityPicture]
    forecasts: list[SealedForecasts]
    remarks: list[str]
