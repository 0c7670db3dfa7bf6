"""Words that are said in several places, and numbers of things in sentences."""

from __future__ import annotations

LOOK_AHEAD = "LOOK-AHEAD"  # before all that a model earned that was caught


def number_of(count: int, thing: str) -> str:
    """A count and what is counted.

    >>> number_of(1, "bar"), number_of(1200, "bar")
    ('1 bar', '1,200 bars')
    """
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"
