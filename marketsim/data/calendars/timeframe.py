"""Timeframes: how long a bar is, as `5m`, `1h`, `1d`, `1w` or `1mo`."""

from __future__ import annotations

import re

from msgspec import Struct

from marketsim.errors import UsageError

SECONDS = {"m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "mo": 2_629_746}  # a month: the mean of them


class Timeframe(Struct, frozen=True):
    """A number of minutes, hours, days, weeks or months; `parse_timeframe` makes one of text."""

    count: int
    unit: str  # m, h, d, w or mo

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    @property
    def seconds(self) -> int:
        """How long a bar is; of months, on average."""
        return self.count * SECONDS[self.unit]


def timeframe_of(seconds: int) -> str:
    """The timeframe of bars that are so many seconds apart; of odd ones the seconds.

    Examples
    --------
    >>> timeframe_of(3600), timeframe_of(90), timeframe_of(86400)
    ('1h', '90s', '1d')
    """
    return f"{seconds}s" if seconds % 60 else str(parse_timeframe(f"{seconds // 60}m"))


def parse_timeframe(text: str) -> Timeframe:
    """The timeframe that `text` names, in its largest unit.

    A month is `1mo`, or `1M` as exchanges write it.

    Examples
    --------
    >>> str(parse_timeframe("60m")), str(parse_timeframe("1M")), parse_timeframe("4h").seconds
    ('1h', '1mo', 14400)
    """
    found = re.fullmatch(r"([1-9]\d{0,4})(mo|[mhdwM])", text)
    if found is None:
        raise UsageError(f"{text!a} is not a timeframe; timeframes look like 1m, 15m, 1h, 4h, 1d, 1w or 1mo")
    count, unit = int(found[1]), {"M": "mo"}.get(found[2], found[2])
    for small, large, size in (("m", "h", 60), ("h", "d", 24), ("d", "w", 7)):
        if unit == small and count % size == 0:
            count, unit = count // size, large
    return Timeframe(count, unit)
