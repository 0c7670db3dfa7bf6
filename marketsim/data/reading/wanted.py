"""What is known of time stamps before they are read."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

PLAIN = "write dates as 2024-12-31"


class Wanted(Struct, frozen=True):
    """What is known of stamps before they are read."""

    date_format: str | None = None  # of strptime, or s, ms, us or ns for an epoch
    timezone: str | None = None  # of stamps without one; None: UTC
    zone: str | None = None  # that stamps are shown in which are UTC already
    dates: str = ""  # the layout's convention: DAY_FIRST or MONTH_FIRST
    option: str = ""  # the one that gives `date_format`, where there is one
    spaced: bool = True  # whether they are those of bars, which are one spacing apart

    @property
    def advice(self) -> str:
        """What to do about a cell that is no date."""
        return f"{self.option} says how it is written, such as %d/%m/%Y" if self.option else PLAIN

    def choice(self, formats: Sequence[str]) -> str:
        """What to do about dates that `formats` fit."""
        return f"give {self.option} {' or '.join(map(repr, formats))}" if self.option else PLAIN
