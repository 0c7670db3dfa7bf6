"""Times of day in a column of their own, beside dates."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.reading.date_formats import bare_clock, seconds_of_day
from marketsim.data.reading.formats import plain
from marketsim.errors import DataError

HOURS = frozenset(("hour", "hours", "stunde", "heure", "hora", "ora", "uur", "час"))


class ClockCells(Struct, frozen=True):
    """R cells of a column of times of day."""

    cells: NDArray[Any]  # [R]
    column: str  # its name in the file


class Clocks(Struct, frozen=True):
    """R times of day."""

    seconds: NDArray[np.float64]  # [R] after midnight; NaN where a cell is no time of day
    zones: NDArray[np.object_] | None  # [R] names or offsets that stand behind them; None where behind none


def read_clocks(found: ClockCells, file: str) -> Clocks:
    """The times of day in a column of `file`. DataError where its bare numbers are not hours at which bars begin."""
    texts, codes = np.unique(found.cells.astype(str), return_inverse=True)
    parts = [bare_clock(text) for text in texts.tolist()]
    numbers = {clock: number for clock, _ in parts if (number := _number(clock)) is not None}
    seconds = [3600.0 * numbers[clock] if clock in numbers else seconds_of_day(clock) for clock, _ in parts]
    if numbers and any(numbers.values()):
        if any(len(clock) > 2 and clock.isdigit() for clock, _ in parts):  # "0", "30", "100": as clocks, without zeros
            seconds = [seconds_of_day(clock) for clock, _ in parts]
        else:
            _check_hours(f"{file}, column '{found.column}'", plain(found.column) in HOURS, numbers)
    known = np.array([np.nan if second is None else second for second in seconds])[codes]
    zones = np.array([zone for _, zone in parts], dtype=object)
    return Clocks(known, zones[codes] if zones.any() else None)


def _number(clock: str) -> int | None:
    """A bare number of one or two digits."""
    return int(clock) if re.fullmatch(r"\d{1,2}", clock) else None


def _check_hours(where: str, named: bool, numbers: dict[str, int]) -> None:
    """DataError where bare numbers are not the hours at which bars begin; `named`: whether the column says hours."""
    if not named:
        first = next(clock for clock, number in numbers.items() if number)
        raise DataError(f"{where}: {first!r} may be an hour or a minute; write 09:00, or name a column of hours Hour")
    if 24 in numbers.values():
        raise DataError(f"{where}: hours up to 24 are those at which bars end; write those of their beginning, 0 to 23")
