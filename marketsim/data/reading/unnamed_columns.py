"""Rows of bars without a header, or under one of unknown names: which column is which."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace

from marketsim.data.reading.date_formats import kind_of, seconds_of_day
from marketsim.data.reading.decimals import styles, to_doubles
from marketsim.data.reading.formats import BY_ORDER, LAYOUTS, Layout, plain
from marketsim.data.reading.formats.names import ADJUSTED, FIELDS, STAMP, VOLUME

FITTING = 0.95  # of the rows, whose high and low must hold the open and the close where no header says which is which
KNOWN = frozenset(name for names in (STAMP, VOLUME, *FIELDS.values(), *ADJUSTED.values()) for name in names)
TIMES = ("date", "timestamp", "open_time", "ts", "startTime", "mts")
DATED = ("full", "midnight", "date")


def names_columns(row: Sequence[str], bar: Sequence[str]) -> bool:
    """Whether a row above a `bar` is a header, be its names known or not, rather than a title or a comment.

    A header may be one cell, in quotes or with another delimiter than the bars.
    """
    words = _filled(row)
    if any(map(_is_value, words)):
        return False
    known = len(KNOWN.intersection(map(plain, re.split(r"[;,|\t]", ";".join(words)))))
    return known >= 2 or (len(words) >= len(_filled(bar)) - 1 and not words[0].startswith(("#", "//")))


def numbers_columns(row: Sequence[str]) -> bool:
    """Whether a row is 0, 1, 2, ... or 1, 2, 3, ..., which programs write in place of a header."""
    words = _filled(row)
    return words in ([str(first + i) for i in range(len(words))] for first in (0, 1))


def is_bar(row: Sequence[str], layout: Layout) -> bool:
    """Whether a row has a time where the `layout` has it, or is numbers for the most part."""
    if numbers_columns(row):
        return False
    words = _filled(row)
    at = next(i for i, name in enumerate(layout.unnamed) if name != "symbol")
    dated = at < len(row) and len(words) > 1 and kind_of([row[at]]) in DATED
    return dated or sum(map(_is_value, words)) > max(1, len(words) / 2)


def _filled(row: Sequence[str]) -> list[str]:
    return [cell.strip() for cell in row if cell.strip()]


def _is_value(cell: str) -> bool:
    return is_number(cell) or kind_of([cell]) in DATED


def is_number(cell: str) -> bool:
    """Whether a cell is a number in one of the ways to write them."""
    return bool(cell.strip()) and cell.strip()[-1].isdigit() and not to_doubles(_objects([cell]), styles([cell])[0])[1]


def unnamed_layout(body: Sequence[list[str]]) -> Layout | None:
    """The layout of rows without a header, by what their cells look like and which of them hold the others."""
    first = body[0]
    width = len(first) - (not first[-1].strip())
    same = [row for row in body if len(row) == len(first)]
    for layout in (*LAYOUTS, *BY_ORDER):
        names = layout.unnamed
        exact = len(names) == width or (layout in BY_ORDER and width >= len(names) - (names[-1] == "volume"))
        if names and exact and layout.matches(first[0]) and _told(names, same) and _holds(names, same):
            if layout not in BY_ORDER:  # an exchange's own, told by its stamps and its number of columns
                return layout
            said = f"no header; its columns are taken as {', '.join(names[:width])}"
            return replace(layout, remark="; ".join(filter(None, (said, layout.remark))))
    return None


def _told(names: Sequence[str], rows: list[list[str]]) -> bool:
    """Whether the columns of time are times, that of symbols has words, and the rest are numbers."""
    for at, name in enumerate(names[: len(rows[0])]):
        cells = [row[at].strip() for row in rows]
        kind = kind_of(cells)
        if name == "symbol":
            good = not any(map(is_number, cells)) and not kind
        elif name in TIMES or (name == "time" and at == 0):
            good = kind in DATED or (kind == "digits" and name == "date")
        elif name == "time":
            good = all(seconds_of_day(cell) is not None for cell in cells)
        else:
            good = is_number(cells[0]) and kind not in ("midnight", "clock")
        if not good:
            return False
    return True


def _holds(names: Sequence[str], rows: list[list[str]]) -> bool:
    """Whether high and low hold open and close, and a mean price lies between them."""
    at = {name: i for i, name in enumerate(names)}
    style = styles(cell for row in rows for cell in (row[at["open"]], row[at["close"]]))[0]
    values = {
        name: to_doubles(_objects([row[at[name]] for row in rows]), style)[0]
        for name in ("open", "high", "low", "close")
    }
    good = (values["high"] >= np.maximum(values["open"], values["close"])) & (
        values["low"] <= np.minimum(values["open"], values["close"])
    )
    known = ~np.isnan(values["close"])
    if "vwap" in at:
        mean = to_doubles(_objects([row[at["vwap"]] for row in rows]), style)[0]
        good &= ((mean >= values["low"] * 0.999) & (mean <= values["high"] * 1.001)) | (mean == 0)
    return bool(known.any() and good[known].mean() >= FITTING)


def _objects(cells: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    array = np.empty(len(cells), dtype=object)
    array[:] = cells
    return array
