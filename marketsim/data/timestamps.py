"""Time stamps from text: ISO 8601 and epochs by the standard library, other formats by pandas."""

from __future__ import annotations

import re
import reprlib
import warnings
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, time, timedelta
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import DataError

DIGITS = {9: 1, 10: 1, 12: 10**3, 13: 10**3, 15: 10**6, 16: 10**6, 18: 10**9, 19: 10**9}  # -> units a second
UNIX = datetime(1970, 1, 1)
Place = Callable[[int], str]  # row -> file, line and column, for messages
Stamp = TypeVar("Stamp", int, datetime)


def parse_stamps(cells: Sequence[str], place: Place, name: str) -> tuple[NDArray[np.datetime64], tuple[str, ...]]:
    """The stamps in R >= 1 cells of the file `name`: [R] datetime64[s], UTC, and remarks for the user.

    Either ISO dates and date-times, with `Z` or one offset (without, they are UTC), or whole seconds,
    milli-, micro- or nanoseconds since 1970. The first cell decides; when it is neither, pandas infers one
    format from it. A cell that does not follow, or is in another time zone, is a DataError that begins with
    `place(row)`.
    """
    scale = _epoch_scale(cells[0])
    if scale:
        return _seconds(_complete((_epoch(cell, scale) for cell in cells), cells, place)), ()
    remarks: list[str] = []
    if _iso(cells[0]):
        stamps = _complete(map(_iso, cells), cells, place)
    else:
        stamps = _complete(_inferred(cells), cells, place)
        remarks.append(f"{name}: the date {reprlib.repr(cells[0])} is read as {stamps[0].date()}")
    zones = [stamp.utcoffset() for stamp in stamps]
    other = next((row for row, zone in enumerate(zones) if zone != zones[0]), None)
    if other is not None:
        pair = f"{reprlib.repr(cells[other])} after {reprlib.repr(cells[0])}"
        raise DataError(f"{place(other)}: mixed time zones: {pair}; write every stamp in UTC")
    if zones[0] is None and any(stamp.time() != time.min for stamp in stamps):
        remarks.append(f"{name}: time stamps without a zone are taken as UTC")
    start = UNIX + (zones[0] or timedelta(0))
    since = [stamp.replace(tzinfo=None) - start for stamp in stamps]
    return _seconds([each.days * 86_400 + each.seconds for each in since]), tuple(remarks)


def _seconds(since: Sequence[int]) -> NDArray[np.datetime64]:
    return np.array(since, dtype=np.int64).astype("datetime64[s]")


def _iso(cell: str) -> datetime | None:
    try:
        return datetime.fromisoformat(cell.strip())
    except ValueError:
        return None


def _epoch_scale(cell: str) -> int | None:
    digits = cell.strip().removesuffix(".0")
    return DIGITS.get(len(digits)) if digits.isascii() and digits.isdigit() else None


def _epoch(cell: str, scale: int) -> int | None:
    return int(cell.strip().removesuffix(".0")) // scale if _epoch_scale(cell) == scale else None


def _inferred(cells: Sequence[str]) -> list[datetime | None]:
    """All cells in the one format that pandas infers from the first; None for those that do not follow it."""
    nothing: list[datetime | None] = [None] * len(cells)
    if len(re.findall(r"\w+", cells[0])) < 3:  # pandas would read 2701 as a year
        return nothing
    import pandas
    from pandas.tseries.api import guess_datetime_format

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # 13/01/2020 can only be read with the day first
        style = guess_datetime_format(cells[0].strip())
    if style is None:
        return nothing
    stamps = [pandas.to_datetime(cell.strip(), format=style, errors="coerce") for cell in cells]
    return [None if pandas.isna(stamp) else stamp for stamp in stamps]


def _complete(found: Iterable[Stamp | None], cells: Sequence[str], place: Place) -> list[Stamp]:
    """`found` without a None; the first one is the error of its cell."""
    stamps: list[Stamp] = []
    for cell, stamp in zip(cells, found, strict=True):
        if stamp is None:
            raise DataError(f"{place(len(stamps))}: {reprlib.repr(cell)} is not a date")
        stamps.append(stamp)
    return stamps
