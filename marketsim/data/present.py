"""The present: the system's clock, or the time of the setting `now` (MARKETSIM_NOW)."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import numpy as np

from marketsim.errors import UsageError


def present(instead: str | None = None) -> np.datetime64:
    """The present in UTC, to the second.

    Parameters
    ----------
    instead
        An ISO stamp that is taken for the present; without a zone it is UTC.

    Examples
    --------
    >>> present("2024-07-03T18:00+02:00")
    np.datetime64('2024-07-03T16:00:00')
    """
    return np.datetime64(int(time.time()), "s") if instead is None else utc(instead)


def utc(text: str) -> np.datetime64:
    """The UTC stamp that an ISO date or stamp names; ValueError for what is neither."""
    stamp = datetime.fromisoformat(text)
    return np.datetime64(stamp if stamp.tzinfo is None else stamp.astimezone(UTC).replace(tzinfo=None), "s")


def without_midnight(stamp: np.datetime64) -> str:
    """A stamp as text; its date alone where it is a midnight.

    >>> without_midnight(np.datetime64("2024-07-03T00:00:00")), without_midnight(np.datetime64("2024-07-03T18:00:00"))
    ('2024-07-03', '2024-07-03T18:00:00')
    """
    return str(stamp).removesuffix("T00:00:00")


def day_or_stamp(text: str) -> np.datetime64:
    """A day, or a stamp in UTC; UsageError for what is neither."""
    try:
        bound = utc(text)
    except ValueError:
        raise UsageError(f"{text!a} is neither a date such as 2020-12-31 nor a time such as 2020-12-31T14:30") from None
    return bound.astype("datetime64[D]") if len(text) <= len("2020-12-31") else bound
