"""Numbers from text: decimal points and commas, thousands, currency signs, "1.2M".

Every value is the double that Python's `float` gives for its digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.symbols import CURRENCIES

UNKNOWN = frozenset(("", "-", "--", "nan", "null", "none", "na", "n/a", "<na>", "n.a.", "#n/a", "—", "–"))
GAPS = " \u00a0\u202f\u2009'’"  # between groups of digits
AROUND = GAPS + "$€£¥₹₽₩"  # before or behind a number
SCALES = {"k": 3, "m": 6, "b": 9, "t": 12, "mio": 6, "mln": 6, "mrd": 9, "bn": 9}  # powers of ten
SCALES |= {"тыс": 3, "млн": 6, "млрд": 9, "万": 4, "萬": 4, "亿": 8, "億": 8}
PLAIN = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|[+-]?inf|nan", re.IGNORECASE)
THIRTY_SECONDS = re.compile(r"\d+[-'’^ ][0-3]\d[\d+]?")  # 110'16, 110-16+: how bond futures are quoted
INDIAN = re.compile(r"\d{1,2}(?:,\d\d)+,\d{3}")  # 1,23,45,678
WITH_UNIT = re.compile(r"[-+]?\d[\d.,]*\s*[^\W\d_]+|[^\W\d_]+\s*\d[\d.,]*")
SCALED = re.compile(r"(.*?\d)\s*([^\W\d_]+)\.?")

Texts = NDArray[np.object_]


class Style(Struct, frozen=True):
    """How a file writes numbers."""

    point: str = "."
    thousands: str = ","  # what groups of three digits may be parted by

    def digits(self, text: str) -> str | None:
        """`text` as `float` reads it; None where groups are not of three digits, or it is no number."""
        whole, _, rest = text.strip().strip(AROUND).partition(self.point)
        if not whole.isdigit():
            unsigned = whole.lstrip("+-")
            sign, unsigned = whole.removesuffix(unsigned), unsigned.lstrip(GAPS)
            if self._is_grouped(unsigned):
                unsigned = re.sub(r"\D", "", unsigned)
            elif self.thousands in unsigned:
                return None
            whole = sign + unsigned
        text = f"{whole}.{rest}" if rest else whole
        return text if PLAIN.fullmatch(text) else None

    def _is_grouped(self, whole: str) -> bool:
        """Whether digits are parted into groups of three, or the Indian way."""
        threes = rf"\d{{1,3}}(?:[{GAPS}{self.thousands}]\d{{3}})+"
        return bool(re.fullmatch(threes, whole) or (self.thousands == "," and INDIAN.fullmatch(whole)))


ENGLISH, CONTINENTAL = Style(), Style(",", ".")


def styles(cells: Iterable[str]) -> tuple[Style, ...]:
    """The ways to read the prices in `cells`, the likelier first: one, or two where every sign has three digits after.

    >>> styles(["1.364,80"]), styles(["1,364.80"])
    ((Style(point=',', thousands='.'),), (Style(point='.', thousands=','),))
    >>> len(styles(["1,364", "999"]))
    2
    """
    doubtful = {",": 0, ".": 0}
    for cell in cells:
        commas, points = cell.count(","), cell.count(".")
        if not commas and not points:
            continue
        if commas and points:
            return (ENGLISH,) if cell.rfind(",") < cell.rfind(".") else (CONTINENTAL,)
        if commas > 1 or points > 1:
            return (ENGLISH,) if commas > 1 else (CONTINENTAL,)
        sign = "," if commas else "."
        whole, _, rest = cell.strip().strip(AROUND).lstrip("+-").partition(sign)
        if len(rest) != 3 or not 1 <= len(whole) <= 3 or whole == "0":
            return (CONTINENTAL,) if commas else (ENGLISH,)
        doubtful[sign] += 1
    if not any(doubtful.values()):
        return (ENGLISH,)
    return (CONTINENTAL, ENGLISH) if doubtful[","] > doubtful["."] else (ENGLISH, CONTINENTAL)


def to_doubles(cells: Texts, style: Style = ENGLISH, scaled: bool = False) -> tuple[NDArray[np.float64], list[int]]:
    """The values of `cells` `[R]` (NaN where unknown or no number), and the rows of those that are no number.

    With `scaled`, of volumes, "1.2M" is a number too, and what is unknown is none that is missing.
    """
    try:
        if style.point == "." and "_" not in "".join(cells):  # Python's own digit separator
            return cells.astype(np.float64), []
    except ValueError:
        pass
    values = np.full(len(cells), np.nan)
    wrong: list[int] = []
    for row, cell in enumerate(cells):
        text = style.digits(cell) or (_scaled(cell, style) if scaled else None)
        if text is not None:
            values[row] = float(text)
        elif not scaled or cell.strip().lower() not in UNKNOWN:
            wrong.append(row)
    return values, wrong


def currency_of(cell: str) -> str | None:
    """The currency whose code stands before or behind a number, such as "100.37 USD"."""
    cell = cell.strip().upper()
    return next((code for code in (cell[-3:], cell[:3]) if code in CURRENCIES), None)


def without_currency(cell: str, code: str) -> str:
    """A cell without the code of this currency, in any case."""
    return re.sub(rf"^\s*{code}|{code}\s*$", "", cell, count=1, flags=re.IGNORECASE)


def unscaled(cell: str) -> str:
    """A volume without the letter for its size: "1.2M" as "1.2"."""
    match = SCALED.fullmatch(cell.strip())
    return match[1] if match else cell


def why_no_number(cell: str) -> str:
    """What messages say of a cell that is no number."""
    if THIRTY_SECONDS.fullmatch(cell.strip()):
        return "is not a number (write 32nds of a point as decimals)"
    if WITH_UNIT.fullmatch(cell.strip()):
        return "is not a number (write it without a unit)"
    return "is not a number"


def _scaled(cell: str, style: Style) -> str | None:
    """A number with a letter for its size, as `float` reads it: "1.2M" is 1.2e6 to the last bit."""
    match = SCALED.fullmatch(cell.strip())
    power = SCALES.get(match[2].lower()) if match else None
    digits = style.digits(match[1]) if match and power is not None else None
    return None if digits is None else f"{digits}e{power}"
