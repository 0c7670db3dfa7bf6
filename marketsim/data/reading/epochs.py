"""Times written as one number: calendar numbers such as 20240102, or an epoch in one of four units."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace
from numpy.typing import NDArray

YEARS = (1900, 2100)  # of calendar numbers
LAST = 4_102_444_800  # seconds: 2100-01-01
EARLIEST_LAST = 100_000_000  # seconds: a series that ends before 1973 is more likely no epoch
UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}  # a second
CALENDARS = {  # digits -> how they are read, in the words of strptime
    6: ("%y%m%d", "%Y%m"),
    8: ("%Y%m%d",),
    10: ("%Y%m%d%H",),
    12: ("%Y%m%d%H%M",),
    14: ("%Y%m%d%H%M%S",),
    17: ("%Y%m%d%H%M%S%f",),
}
WIDTHS = {"Y": 4, "y": 2, "m": 2, "d": 2, "H": 2, "M": 2, "S": 2, "f": 3}

Times = NDArray[np.datetime64]


class Numbers(Struct, frozen=True):
    """R numbers, without rounding."""

    whole: NDArray[np.int64]  # [R]
    billionths: NDArray[np.int64]  # [R]
    wrong: NDArray[np.bool_] | None = None  # [R] those that are none; None: all are
    step: int = 0  # the power of ten of the last digit that any has; 7 for 1.67262E+12

    @property
    def known(self) -> NDArray[np.int64]:
        """The whole parts of those that are numbers."""
        return self.whole if self.wrong is None else self.whole[~self.wrong]


def from_texts(cells: NDArray[np.object_]) -> Numbers | None:
    """The cells `[R]` as numbers, but for a few that are none; None where the first ones are no numbers."""
    if not _is_number(str(cells[0])):
        return None
    try:
        return Numbers(cells.astype(np.int64), np.zeros(len(cells), dtype=np.int64))
    except (ValueError, OverflowError):
        pass
    wrong = np.array([not _is_number(str(cell)) for cell in cells])
    texts = ["0" if bad else str(cell).strip() for cell, bad in zip(cells, wrong, strict=True)]
    if any("e" in text or "E" in text for text in texts):
        found = from_doubles(np.array(texts, dtype=np.float64))
        if found is None:
            return None
        wrong |= False if found.wrong is None else found.wrong  # a number beyond all epochs is none either
        step = max(0, min(_last_digit(text) for text, bad in zip(texts, wrong, strict=True) if not bad))
        return replace(found, wrong=wrong if wrong.any() else None, step=step)
    parts = [text.partition(".") for text in texts]
    billionths = [int(part[2][:9].ljust(9, "0")) if part[2].strip("0") else 0 for part in parts]
    try:
        whole = np.array([int(part[0] or 0) for part in parts], dtype=np.int64)
    except (ValueError, OverflowError):
        return None
    return Numbers(whole, np.array(billionths, dtype=np.int64), wrong if wrong.any() else None)


def from_doubles(values: NDArray[np.float64]) -> Numbers | None:
    """Doubles as whole numbers and billionths, to what a double of today's seconds can tell: a microsecond."""
    wrong = ~(np.abs(values) < 9e18)
    if wrong.all():
        return None
    values = np.where(wrong, 0, values)
    whole = np.floor(values)
    millionths = np.rint((values - whole) * 1e6)
    return Numbers(
        whole.astype(np.int64) + (millionths == 1e6),
        (millionths % 1e6).astype(np.int64) * 1000,
        wrong if wrong.any() else None,
    )


def from_calendar(numbers: NDArray[np.int64], style: str) -> Times:
    """The calendar numbers `[R]` in a `style` of `CALENDARS` as datetime64[ns]; NaT for what is none."""
    parts: dict[str, NDArray[np.int64]] = {}
    rest = numbers
    for letter in reversed(style.replace("%", "")):
        rest, parts[letter] = np.divmod(rest, 10 ** WIDTHS[letter])
    year = parts["Y"] if "Y" in parts else parts["y"] + np.where(parts["y"] < 70, 2000, 1900)
    month, day = parts["m"], parts.get("d", np.ones_like(numbers))
    good = (rest == 0) & (year >= YEARS[0]) & (year <= YEARS[1]) & (month >= 1) & (month <= 12) & (day >= 1)
    months = ((np.where(good, year, 1970) - 1970) * 12 + np.where(good, month, 1) - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1)
    good &= days < (months + 1).astype("datetime64[D]")
    time = days.astype("datetime64[ns]")
    for letter, most, unit in (("H", 24, "h"), ("M", 60, "m"), ("S", 60, "s"), ("f", 1000, "ms")):
        if letter in parts:
            good &= parts[letter] < most
            time = time + parts[letter].astype(f"timedelta64[{unit}]")
    return np.where(good, time, np.datetime64("NaT", "ns"))


def calendars(numbers: Numbers) -> dict[str, Times]:
    """The ways to read all numbers as dates, by style; none where one of them is no date."""
    known = numbers.known
    if not len(known) or known.min() < 0 or numbers.billionths.any():
        return {}
    digits = len(str(int(known.max())))
    styles = CALENDARS.get(digits if digits in CALENDARS else digits + 1, ())
    read = {style: from_calendar(known, style) for style in styles}
    return {style: _spread(numbers, time) for style, time in read.items() if not np.isnat(time).any()}


def unit_of(numbers: Numbers) -> str | None:
    """The unit whose epochs the numbers are; None where no unit gives years up to 2100, or two are mixed."""
    sizes = np.abs(numbers.known)
    if not len(sizes) or sizes.max() < EARLIEST_LAST:
        return None
    unit = next((unit for unit, scale in UNITS.items() if sizes.max() <= LAST * scale), None)
    if unit is None or unit == "s":
        return unit
    small = sizes <= LAST * UNITS[unit] // 1000
    if small.any() and sizes[~small].min() > 10 * max(1, int(sizes[small].max())):
        return None
    return unit


def from_epoch(numbers: Numbers, unit: str) -> Times:
    """Epochs `[R]` in `unit` as datetime64[ns]; NaT beyond the years that it holds, 1678 to 2262."""
    scale = 10**9 // UNITS[unit]
    inside = np.abs(numbers.whole) < (1 << 63) // scale - 1
    time = (np.where(inside, numbers.whole, 0) * scale + numbers.billionths * scale // 10**9).astype("datetime64[ns]")
    good = inside if numbers.wrong is None else inside & ~numbers.wrong
    return np.where(good, time, np.datetime64("NaT", "ns"))


def rounded(numbers: Numbers, unit: str) -> int | None:
    """The first row whose moment shows that digits are lost; None where they tell the time.

    A program that writes 1672617600000 as 1.67262E+12 rounds it to 10,000 s. Exact epochs end in zeros too, but those
    of bars are then whole minutes, or hours.
    """
    seconds = 10**numbers.step // UNITS[unit]
    if seconds <= 1:
        return None
    whole = UNITS[unit] * (60 if seconds <= 100 else 3600)
    odd = numbers.whole % whole != 0
    return int(np.argmax(odd)) if odd.any() else None


def odd_one(numbers: Numbers) -> int:
    """The first row whose number is of another size than the first one's."""
    digits = np.floor(np.log10(np.maximum(np.abs(numbers.whole), 1)))
    return int(np.argmax(digits != digits[0]))


def _spread(numbers: Numbers, time: Times) -> Times:
    """The times of the known numbers, with NaT between them where one is none."""
    if numbers.wrong is None:
        return time
    whole = np.full(len(numbers.whole), np.datetime64("NaT", "ns"))
    whole[~numbers.wrong] = time
    return whole


def _last_digit(text: str) -> int:
    """The power of ten of the last digit in a number's text."""
    mantissa, _, exponent = text.lower().partition("e")
    return int(exponent or 0) - len(mantissa.partition(".")[2])


def _is_number(cell: str) -> bool:
    cell = cell.strip()
    try:
        float(cell)
    except ValueError:
        return False
    return "_" not in cell and cell[-1:] in "0123456789."
