"""How a file writes its prices, where a comma or a point with three digits behind it may be either."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.data.reading.cells import Cells, Column
from marketsim.data.reading.columns import Columns
from marketsim.data.reading.decimals import (
    CONTINENTAL,
    ENGLISH,
    Style,
    currency_of,
    styles,
    to_doubles,
    unscaled,
    without_currency,
)
from marketsim.data.reading.jumps import jumps

SAME = 1e-6  # sums of jumps that differ by less are those of the same prices in another unit
POINTED_DAY = re.compile(r"\s*\d{1,2}\.\d{1,2}\.\d{4}\b")  # of countries whose decimals have a comma
WITH_EIGHTHS = re.compile(r"\d{1,3}['’](?:[0-2]\d|3[01])[0-35-8]")  # of 32nds; they end in neither 4 nor 9

Doubles = NDArray[np.float64]


class NumberStyle(Struct, frozen=True):
    """The style of a file's numbers, and what is to be said of it."""

    style: Style
    notes: tuple[str, ...] = ()


def style_of(cells: Cells, found: Sequence[Columns], read: dict[int, Column]) -> NumberStyle:
    """How prices are written.

    Of two ways that fit, it is the one whose bars hold together and jump less; or else that of the other numbers of
    the file; or else the usual one, with a note. Prices in `read` are replaced by their text where they were read as
    numbers too soon, and lose the name of their currency.
    """
    prices = [at for columns in found for at in columns.prices]
    if all(read[at].dtype != object for at in prices):
        if not any(len(jumps(read[columns.prices[3]])) for columns in found) and not _is_continental(cells, found[0]):
            return NumberStyle(ENGLISH)
        texts = cells.read(sorted({at for columns in found for at in columns.numbers}), [])
        if any(texts[at].dtype != object for at in prices) or len(styles(_texts(texts, prices))) == 1:
            return NumberStyle(ENGLISH)
        read |= texts
    for at in (*prices, *(at for columns in found for at in columns.adjusted if at is not None)):
        read[at] = _without_currency(read[at])
    prices = [at for at in prices if read[at].dtype == object]
    ways = styles(_texts(read, prices))
    if len(ways) == 1:
        return NumberStyle(ways[0], _doubt_of_32nds(cells.name, _texts(read, prices)))
    likelier = _likelier(read, found[0]) or _style_elsewhere(read, found)
    if likelier is not None:
        return NumberStyle(likelier)
    commas = any("," in cell for cell in _texts(read, prices))
    style = CONTINENTAL if commas and cells.heading.comma_is_point else ENGLISH
    if not commas and not _is_continental(cells, found[0]):
        return NumberStyle(ENGLISH)
    return NumberStyle(style, (_doubt(cells.name, next(filter(_has_sign, _texts(read, prices))), style),))


def doubles(column: Column, style: Style, scaled: bool) -> tuple[Doubles, list[int]]:
    """The values of a column `[R]`, and its rows that are no number; see `to_doubles`."""
    if column.dtype == object:
        return to_doubles(column, style, scaled)
    return column.astype(np.float64, copy=False), []


def _doubt(name: str, cell: str, style: Style) -> str:
    sign = "comma" if "," in cell else "point"
    remedy = "decimals, write a decimal point" if style.thousands in cell else f"thousands, leave the {sign}s out"
    return (
        f"{name}: {cell.strip()!r} is read as {style.digits(cell)}; nothing in the file tells whether the {sign} parts "
        f"decimals or thousands; if it parts {remedy}"
    )


def _doubt_of_32nds(name: str, prices: Iterator[str]) -> tuple[str, ...]:
    """A note where each price may be 32nds of a point and their eighths, such as 110'165 for 110 16.5/32."""
    first = next(prices, "")
    if not WITH_EIGHTHS.fullmatch(first) or not all(map(WITH_EIGHTHS.fullmatch, prices)):
        return ()
    return (f"{name}: {first!r} is read as {ENGLISH.digits(first)}; if it has 32nds of a point, write decimals",)


def _is_continental(cells: Cells, columns: Columns) -> bool:
    """Whether dates are written with points and cells parted by no comma, and points in prices may part thousands."""
    if not cells.heading.comma_is_point or not all(map(POINTED_DAY.match, cells.sample(columns.stamps[0]))):
        return False
    return len(styles(cell for at in columns.prices for cell in cells.sample(at))) > 1


def _likelier(read: Mapping[int, Column], columns: Columns) -> Style | None:
    """The style in which prices hold together and jump less; None where both do alike."""
    (broken, jumps), (other_broken, other_jumps) = (_unlikely(read, columns, way) for way in (ENGLISH, CONTINENTAL))
    if broken != other_broken:
        return ENGLISH if broken < other_broken else CONTINENTAL
    if math.isclose(jumps, other_jumps, rel_tol=SAME, abs_tol=SAME):
        return None
    return ENGLISH if jumps < other_jumps else CONTINENTAL


def _style_elsewhere(read: Mapping[int, Column], found: Sequence[Columns]) -> Style | None:
    """The style that volumes, dividends and the like tell; None where they may be either, too."""
    others = {at for columns in found for at in columns.numbers if at not in columns.prices}
    cells = [unscaled(cell) for cell in _texts(read, [at for at in sorted(others) if read[at].dtype == object])]
    ways = styles(cells)
    return ways[0] if len(ways) == 1 and any(map(_has_sign, cells)) else None


def _has_sign(cell: str) -> bool:
    return "," in cell or "." in cell


def _without_currency(column: Column) -> Column:
    """A column of text without the currency that its first cell has."""
    if column.dtype != object or not len(column) or (currency := currency_of(str(column[0]))) is None:
        return column
    bare = np.empty(len(column), dtype=object)
    bare[:] = [without_currency(str(cell), currency) for cell in column]
    return bare


def _texts(read: Mapping[int, Column], columns: Sequence[int]) -> Iterator[str]:
    return (str(cell) for at in columns for cell in read[at])


def _unlikely(read: Mapping[int, Column], columns: Columns, style: Style) -> tuple[int, float]:
    """How badly prices look in a style: rows that break a rule, and the sum of the jumps."""
    open_, high, low, close = (doubles(read[at], style, False)[0] for at in columns.prices)
    with np.errstate(all="ignore"):
        broken = ~((high >= np.maximum(open_, close)) & (low <= np.minimum(open_, close)))
        jumps = np.abs(np.diff(np.log(close)))
    return int(broken.sum()), float(np.nansum(jumps))
