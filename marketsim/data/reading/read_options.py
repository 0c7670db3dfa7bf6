"""Options for reading users' files whose format is ambiguous."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Reading(Protocol):
    """The choices of `--on-bad-bars`, `--date-format`, `--timezone`, `--adjust` and `--timeframe`, as settings have
    them too.
    """

    @property
    def on_bad_bars(self) -> str:
        """What becomes of bad rows: "error", or "drop", which leaves them out, counts and names them."""
        ...

    @property
    def date_format(self) -> str | None:
        """Of strptime, or `s`, `ms`, `us`, `ns` for an epoch; None: found out."""
        ...

    @property
    def timezone(self) -> str | None:
        """Of stamps that have none; None: UTC."""
        ...

    @property
    def adjust(self) -> str:
        """Whether prices are adjusted by the file's adjusted close or splits: "auto" or "none"."""
        ...

    @property
    def timeframe(self) -> str:
        """The length of a bar, of sources that have bars of several."""
        ...


class ReadOptions(Struct, frozen=True):
    """A `Reading` by itself."""

    on_bad_bars: str = "error"
    date_format: str | None = None
    timezone: str | None = None
    adjust: str = "auto"
    timeframe: str = "1d"
