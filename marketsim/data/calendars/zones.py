"""Local times of a time zone, for arrays of UTC times."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import UsageError

DAY = 86_400  # seconds

Stamps = NDArray[np.datetime64]


@lru_cache
def open_zone(name: str) -> tzinfo:
    """The zone of an IANA name such as "Asia/Tokyo", or of an offset such as "+09:00"; UsageError for others."""
    from zoneinfo import ZoneInfo  # UTC, which most bars have, needs none

    offset = re.fullmatch(r"([+-])(\d\d):?(\d\d)", name)
    try:
        if offset is not None:
            sign, hours, minutes = offset.groups()
            return timezone(timedelta(hours=int(hours), minutes=int(minutes)) * (-1 if sign == "-" else 1))
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # KeyError: no such zone
        raise UsageError(f"no time zone '{name}'; zones look like Asia/Tokyo, America/New_York or +09:00") from None


def utc_offsets(times: Stamps, zone: str) -> NDArray[np.int64]:
    """Seconds `[T]` that the clocks of `zone` are ahead of UTC at the stamps `times` `[T]`.

    The zone is asked once a day that occurs, and once a stamp on days on which the clocks change.
    """
    if zone == "UTC" or not len(times):
        return np.zeros(len(times), np.int64)
    place = open_zone(zone)

    def offset(seconds: int) -> int:
        ahead = datetime.fromtimestamp(seconds, place).utcoffset()
        assert ahead is not None
        return int(ahead.total_seconds())

    seconds = times.astype("datetime64[s]").astype(np.int64)
    days, row = np.unique(seconds // DAY, return_inverse=True)
    begins = np.array([offset(day * DAY) for day in days.tolist()])
    ends = np.array([offset((day + 1) * DAY) for day in days.tolist()])
    offsets: NDArray[np.int64] = begins[row]
    for at in np.flatnonzero((begins != ends)[row]):
        offsets[at] = offset(int(seconds[at]))
    return offsets


def to_local(times: Stamps, zone: str) -> Stamps:
    """What the clocks of `zone` show at UTC stamps `[T]`, as stamps without a zone."""
    local: Stamps = times.astype("datetime64[s]") + utc_offsets(times, zone).astype("timedelta64[s]")
    return local


def is_shown_twice(time: np.datetime64, zone: str) -> bool:
    """Whether the clocks of `zone` show the hour of the UTC stamp `time` twice, as they do when summer time ends."""
    near = time.astype("datetime64[s]") + np.array([-3600, 0, 3600], "timedelta64[s]")
    before, now, after = to_local(near, zone)
    return bool(now in (before, after))


def with_offset(times: Stamps, zone: str) -> list[str]:
    """What the clocks of `zone` show at UTC stamps `[T]`, with how far they are ahead of UTC.

    >>> with_offset(np.array(["2020-08-03T13:30"], "datetime64[s]"), "America/New_York")
    ['2020-08-03T09:30:00-04:00']
    """
    minutes = utc_offsets(times, zone) // 60
    ahead = [f"{'-' if east < 0 else '+'}{abs(east) // 60:02}:{abs(east) % 60:02}" for east in minutes.tolist()]
    return [f"{local}{offset}" for local, offset in zip(to_local(times, zone).astype(str), ahead, strict=True)]


def to_utc(local: Stamps, zone: str) -> Stamps:
    """The UTC stamps `[T]` at which the clocks of `zone` show `local`; of an hour that occurs twice, one of the two."""
    local = local.astype("datetime64[s]")
    guess = local - utc_offsets(local, zone).astype("timedelta64[s]")
    times: Stamps = local - utc_offsets(guess, zone).astype("timedelta64[s]")
    return times
