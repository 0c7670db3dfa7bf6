"""Dates in words or with separators: the format of strptime that fits every cell."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.calendars.zones import utc_offsets
from marketsim.data.reading.date_formats import Shape, shape_of, tidy
from marketsim.data.reading.named_zones import zone_name, zone_names
from marketsim.data.reading.spacing import Times, choose_reading
from marketsim.data.reading.wanted import Wanted
from marketsim.errors import DataError, UsageError

FEW = 0.05  # of the cells: more that fit no format mean that the format is misread
LOOKED_AT = 20  # first cells among which one has the shape of a date
PROBED = 500  # cells on which formats are tried first
SMALL = 10_000  # cells for which pandas is not worth its import
PLAIN = {"%Y-%m-%d": 10, "%Y-%m-%d %H:%M": 16, "%Y-%m-%dT%H:%M": 16, "%Y-%m-%d %H:%M:%S": 19, "%Y-%m-%dT%H:%M:%S": 19}
ISO = ("%Y-%m-%d", "%Y%m%d")
MARKETS = (
    "America/New_York America/Chicago Europe/London Europe/Berlin Europe/Moscow Asia/Kolkata Asia/Shanghai "
    "Asia/Tokyo Australia/Sydney Asia/Dubai Europe/Helsinki"
)

Cells = NDArray[Any]  # [R] str objects
Place = Callable[[int], str]  # row -> file, line and column, for messages


class Written(Struct, frozen=True):
    """R dates as they were written."""

    time: Times  # [R] datetime64[ns]; UTC where they have offsets, NaT where unreadable
    style: str  # in the words of strptime
    zone: str | None = None  # that the offsets behind them are those of
    names: NDArray[np.object_] | None = None  # [R] of zones, which stand behind them


def read_dates(texts: Cells, place: Place, wanted: Wanted) -> Written:
    """The dates in R >= 1 cells. DataError for cells that fit no format, or two that mean different dates."""
    date_format = wanted.date_format
    row, shape = _given(date_format) if date_format is not None else _first_shape(texts)
    if shape is None:
        raise DataError(f"{place(0)}: {shown(texts[0])} is not a date; {wanted.advice}")
    cells = texts
    if shape.clean is not None or any(str(texts[at]) != str(texts[at]).strip() for at in (0, len(texts) // 2, -1)):
        clean = shape.clean or str.strip
        cells = np.array([clean(cell) for cell in texts], dtype=object)
    formats = _fitting(shape.formats, cells, shape.offset)
    try:
        readings = {style: _read(cells, style, shape) for style in formats}
    except ValueError as error:
        raise UsageError(f"{wanted.option} {date_format!r}: {error}") from None
    missing = {reading: int(np.isnat(time).sum()) for reading, time in readings.items()}
    fewest = min(missing.values())
    if fewest and date_format is None and shape.formats[0].startswith(ISO):
        readings = {shape.formats[0]: _iso(cells, shape, place, texts)}
    else:
        readings = {reading: time for reading, time in readings.items() if missing[reading] == fewest}
    style = choose_reading(readings, place(row), texts[row], wanted)
    time = readings[style]
    wrong = np.isnat(time)
    names = zone_names(texts) if shape.named else None
    _same_zoning(texts, wrong, shape, names, place)
    if wrong.sum() > max(1, FEW * len(time)):
        first = int(np.argmax(wrong))
        alike = f" as {shown(texts[row])} is" if first != row else f" in the format {style}"
        many = f"nor are {wrong.sum() - 1:,} more of {len(time):,}"
        raise DataError(f"{place(first)}: {shown(texts[first])} is not a date{alike}, {many}; {wanted.advice}")
    return Written(time, style, zone_of_offsets(cells, time) if shape.offset else None, names)


def shown(cell: object) -> str:
    """A cell as it may stand in a message."""
    return reprlib.repr(str(cell))


def zone_of_offsets(cells: Cells, time: Times) -> str:
    """The zone that stamps with offsets were written in, by the offsets; UTC where they are of no known one."""
    rows = np.unique(np.linspace(0, len(cells) - 1, PROBED).astype(np.int64))
    rows = rows[~np.isnat(time[rows])]
    offsets = np.array([_minutes(cells[row]) for row in rows])
    if not offsets.any():
        return "UTC"
    for zone in MARKETS.split():
        if (utc_offsets(time[rows], zone) == 60 * offsets).all():
            return zone
    if (offsets != offsets[0]).any():
        return "UTC"
    hours, minutes = divmod(abs(int(offsets[0])), 60)
    return f"{'-' if offsets[0] < 0 else '+'}{hours:02}:{minutes:02}"


def parse(cells: Cells, style: str, offset: bool) -> Times:
    """The cells in one format of strptime, as UTC where they have offsets; NaT where it does not fit.

    ValueError for what is no format.
    """
    if len(cells) <= SMALL and style in PLAIN and all(len(cell) == PLAIN[style] for cell in cells):
        try:
            return cells.astype(str).astype("datetime64[ns]")
        except ValueError:
            pass
    import pandas

    found = pandas.to_datetime(cells, format=style, errors="coerce", utc=offset)
    return np.array(found.tz_localize(None) if offset else found, dtype="datetime64[ns]")


def _read(cells: Cells, style: str, shape: Shape) -> Times:
    """As `parse`; what does not fit is cleaned first: "May 3" may be followed by "June 1"."""
    time = parse(cells, style, shape.offset)
    wrong = np.isnat(time)
    if wrong.any() and not wrong.all():
        zoned = shape.offset or shape.named
        time[wrong] = parse(np.array([tidy(cell, zoned) for cell in cells[wrong]], dtype=object), style, shape.offset)
    return time


def _given(style: str) -> tuple[int, Shape]:
    """What the owner says."""
    return 0, Shape((style,), None, "%z" in style, False, not any(hour in style for hour in ("%H", "%I")))


def _first_shape(texts: Cells) -> tuple[int, Shape | None]:
    """The first row, of a few, whose date has a shape."""
    for row, cell in enumerate(texts[:LOOKED_AT]):
        shape = shape_of(str(cell))
        if shape is not None:
            return row, shape
    return 0, None


def _fitting(formats: Sequence[str], cells: Cells, offset: bool) -> list[str]:
    """The formats that fit best on some cells, spread over the file."""
    if len(formats) == 1:
        return list(formats)
    probe = cells[np.unique(np.linspace(0, len(cells) - 1, PROBED).astype(np.int64))]
    missing = {style: int(np.isnat(parse(probe, style, offset)).sum()) for style in formats}
    fewest = min(missing.values())
    return [style for style in formats if missing[style] <= fewest + FEW * len(probe)]


def _iso(cells: Cells, shape: Shape, place: Place, texts: Cells) -> Times:
    """ISO stamps some of which have seconds, fractions or a time of day where others have none."""
    import pandas

    zoned = np.array([cell[-1:] == "Z" or "+" in cell[10:] or "-" in cell[10:] for cell in cells])
    found = pandas.to_datetime(cells, format="ISO8601", errors="coerce", utc=True)
    time: Times = np.asarray(found.tz_localize(None), dtype="datetime64[ns]")
    mixed = ~np.isnat(time) & (zoned != shape.offset)
    if mixed.any():
        raise _mixed(texts, int(np.argmax(mixed)), place)
    return time


def _same_zoning(
    texts: Cells, wrong: NDArray[np.bool_], shape: Shape, names: NDArray[np.object_] | None, place: Place
) -> None:
    """DataError where the name of a zone stands behind some of the stamps, and nothing behind others."""
    if names is not None:
        rows = np.flatnonzero(~wrong & (names == "")).tolist()
    elif shape.offset:
        return
    else:
        rows = [
            row for row in np.flatnonzero(wrong).tolist() if zone_name(str(texts[row])) and shape_of(str(texts[row]))
        ]
    if rows:
        raise _mixed(texts, rows[0], place)


def _mixed(texts: Cells, row: int, place: Place) -> DataError:
    pair = f"{shown(texts[row])} after {shown(texts[0])}"
    return DataError(f"{place(row)}: mixed time zones: {pair}; write every stamp in UTC")


def _minutes(cell: str) -> int:
    """Minutes east of UTC."""
    if cell[-1] in "Zz":
        return 0
    cell = cell.replace(":", "")
    return (-1 if cell[-5] == "-" else 1) * (int(cell[-4:-2]) * 60 + int(cell[-2:]))
