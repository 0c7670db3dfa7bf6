"""Times from a column of text or numbers: one format must fit every cell."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.data.reading import epochs
from marketsim.data.reading.clocks import ClockCells, read_clocks
from marketsim.data.reading.named_zones import localize, moments
from marketsim.data.reading.spacing import Times, choose_reading
from marketsim.data.reading.wanted import Wanted
from marketsim.data.reading.written_dates import FEW, Place, read_dates, shown, zone_of_offsets
from marketsim.errors import DataError


class Stamps(Struct, frozen=True):
    """R time stamps."""

    time: Times  # [R] datetime64[ns], UTC; NaT where unreadable
    unreadable: dict[int, str]  # row -> the cell in words
    zone: str = "UTC"  # that they were written in
    notes: tuple[str, ...] = ()
    naive: bool = False  # whether they had no zone of their own


def parse_stamps(
    cells: NDArray[Any], place: Place, name: str, wanted: Wanted | None = None, clocks: ClockCells | None = None
) -> Stamps:
    """The stamps in R >= 1 cells of the file `name`: text, numbers or datetime64; `clocks`, times of day, are added.

    Stamps without a zone are taken as UTC, or as `wanted.timezone`. DataError, which begins with `place(row)`, where
    no format fits; where day and month can be swapped and neither the spacing nor a convention decides; where stamps
    with and without a zone are mixed.
    """
    wanted = wanted or Wanted()
    if cells.dtype.kind == "M":
        naive, read = wanted.zone is None, Stamps(cells.astype("datetime64[ns]"), {}, wanted.zone or "UTC")
    else:
        numbers = _numbers(cells, wanted.date_format)
        if numbers is not None:
            naive, read = _from_numbers(cells, numbers, place, wanted)
        else:
            texts = cells if cells.dtype == object else cells.astype(str).astype(object)
            naive, read = _from_words(texts, place, name, wanted)
    if clocks is not None:
        read = _with_clocks(read, clocks, place, name)
        naive = naive and read.naive
    if naive:
        read = replace(_localized(read, name, wanted.timezone), naive=True)
    rows = np.flatnonzero(np.isnat(read.time)).tolist()
    words = {row: read.unreadable.get(row, f"{shown(cells[row])} is not a date") for row in rows}
    return replace(read, unreadable=words)


def _numbers(cells: NDArray[Any], date_format: str | None) -> epochs.Numbers | None:
    """The cells as numbers, where they are to be read as such."""
    if date_format is not None and date_format not in epochs.UNITS:
        return None
    if cells.dtype.kind in "iu":
        return epochs.Numbers(cells.astype(np.int64), np.zeros(len(cells), dtype=np.int64))
    if cells.dtype.kind == "f":
        return epochs.from_doubles(cells.astype(np.float64))
    return epochs.from_texts(cells)


def _from_numbers(cells: NDArray[Any], numbers: epochs.Numbers, place: Place, wanted: Wanted) -> tuple[bool, Stamps]:
    """Epochs, which are UTC, or calendar numbers, which are as naive as any date."""
    readings = {} if wanted.date_format is not None else epochs.calendars(numbers)
    if readings:
        return True, Stamps(readings[choose_reading(readings, place(0), cells[0], wanted)], {})
    unit = wanted.date_format or epochs.unit_of(numbers)
    if unit is None:
        row = epochs.odd_one(numbers)
        raise DataError(f"{place(row)}: {shown(cells[row])} is not a date, nor an epoch up to 2100; {wanted.advice}")
    time = epochs.from_epoch(numbers, unit)
    if np.isnat(time).sum() > max(1, FEW * len(time)):
        row = int(np.argmax(np.isnat(time)))
        raise DataError(f"{place(row)}: {shown(cells[row])} is not an epoch; {wanted.advice}")
    lost = epochs.rounded(numbers, unit)
    if lost is not None:
        said = "has too few digits to tell the time, as a spreadsheet shows it; write all digits"
        raise DataError(f"{place(lost)}: {shown(cells[lost])} {said}")
    return False, Stamps(time, {})


def _from_words(texts: NDArray[Any], place: Place, name: str, wanted: Wanted) -> tuple[bool, Stamps]:
    """Dates with separators or words."""
    found = read_dates(texts, place, wanted)
    notes: tuple[str, ...] = ()
    if wanted.date_format is None and not found.style.startswith("%Y"):
        row = int(np.argmax(~np.isnat(found.time)))
        notes = (f"{name}: the date {shown(texts[row])} is read as {str(found.time[row])[:10]}",)
    if found.zone is not None:
        return False, Stamps(found.time, {}, found.zone, notes)
    if found.names is None:
        return True, Stamps(found.time, {}, "UTC", notes)
    known = moments(found.time, found.names, place)
    return False, Stamps(known.time, {}, known.zone, (*notes, *known.notes))


def _with_clocks(read: Stamps, clocks: ClockCells, place: Place, name: str) -> Stamps:
    """Times of day added to dates, naive unless zones stand behind them."""
    found = read_clocks(clocks, name)
    unknown = np.isnan(found.seconds)
    words = f"in column '{clocks.column}' is not a time of day"
    wrong = {int(row): f"{shown(clocks.cells[row])} {words}" for row in np.flatnonzero(unknown)}
    if len(wrong) > max(1, FEW * len(unknown)):
        row = min(wrong)
        raise DataError(f"{place(row)}: {wrong[row]}")
    added = np.rint(np.nan_to_num(found.seconds) * 1e9).astype("timedelta64[ns]")
    time = np.where(unknown, np.datetime64("NaT", "ns"), read.time + added)
    read = replace(read, time=time, unreadable=read.unreadable | wrong, naive=found.zones is None)
    if found.zones is None:
        return read
    without = np.flatnonzero(~np.isnat(time) & (found.zones == ""))
    if len(without):
        row = int(without[0])
        raise DataError(f"{place(row)}: mixed time zones: {shown(clocks.cells[row])} has none, and others have one")
    known = moments(time, found.zones, place)
    if all(zone[0] in "+-" for zone in found.zones[~np.isnat(time)]):
        return replace(read, time=known.time, zone=zone_of_offsets(found.zones, known.time))
    return replace(read, time=known.time, zone=known.zone, notes=(*read.notes, *known.notes))


def _localized(read: Stamps, name: str, zone: str | None) -> Stamps:
    """Naive stamps in UTC, and the remark that goes with it."""
    if zone is not None:
        return replace(read, time=localize(read.time, zone), zone=zone)
    if _all_midnights(read.time[:1000]) and _all_midnights(read.time):
        return read
    said = f"{name}: time stamps without a zone are taken as UTC (--timezone sets another)"
    return replace(read, notes=(*read.notes, said))


def _all_midnights(time: Times) -> bool:
    known = time[~np.isnat(time)]
    return bool((known.astype("datetime64[D]") == known).all())
