"""The rows of a symbol's CSV files as arrays for pictures, and as the words of the table of trades."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.results.figures import price, signed, span
from marketsim.results.html.exits import Exit, exits
from marketsim.results.schema import CostsRow, SymbolDocument
from marketsim.settings.choices import BASIS_POINTS, PROVABLE, TOUCH

Cells = Mapping[str, str]
PRICES = ("open", "high", "low", "close")
NOT_FILLED, AT_CLOSE, TAKEN, IN_DOUBT = range(4)  # how a trade ended, in the arrays
ENDINGS: dict[Exit, int] = {"not filled": NOT_FILLED, "close": AT_CLOSE, "take-profit": TAKEN, "in doubt": IN_DOUBT}


class PackedRows(Struct, frozen=True):
    """What `pack` takes."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def rows_of(document: SymbolDocument, simulations: str, equity: str) -> PackedRows:
    """The pictures of a symbol's walk, oldest bar first; nothing where the run kept no rows."""
    sums = list(csv.DictReader(StringIO(equity)))
    trades = list(csv.DictReader(StringIO(simulations)))
    names = [row.name for row in document.rows]
    fitted = [row.name for row in document.rows if row.kind == "strategy"]
    by_name = {name: [row for row in sums if row["name"] == name] for name in names}
    walks = {name: [row for row in trades if row["strategy"] == name][::-1] for name in fitted}
    bars = walks[fitted[0]]
    facts = {
        "names": names,
        "strategies": fitted,
        "times": [row["evaluated"] for row in bars],
        "tick": document.bars.tick,
        "cells": [_columns([_cells(row, document) for row in rows]) for rows in walks.values()],
    }
    arrays: dict[str, NDArray[Any]] = {
        what: _table(by_name.values(), column)
        for what, column in (("headline", document.fill), ("worst", PROVABLE), ("best", TOUCH))
    }
    arrays["bars"] = np.array([[float(row[each]) for each in PRICES] for row in bars])
    arrays["upper"], arrays["lower"] = (_table(walks.values(), each) for each in ("upper", "lower"))
    endings = [
        [_endings(row, before, document.costs) for row, before in zip(rows, [None, *rows], strict=False)]
        for rows in walks.values()
    ]
    arrays["endings"] = np.array(endings, np.uint8)  # [strategy, bar, long and short]
    return PackedRows(facts, arrays)


def _table(groups: Any, column: str) -> NDArray[np.float64]:
    return np.array([[float(row[column]) for row in rows] for rows in groups])


def _endings(row: Cells, before: Cells | None, costs: CostsRow) -> tuple[int, int]:
    """How the long and the short of a bar ended."""
    long, short = exits(row, None if before is None else float(before["close"]), costs)
    return ENDINGS[long], ENDINGS[short]


def _cells(row: Cells, document: SymbolDocument) -> tuple[str, ...]:
    """A bar in the table of trades."""
    tick = document.bars.tick
    profits = {fill: BASIS_POINTS * float(row[fill]) for fill in (PROVABLE, document.fill, TOUCH)}
    return (
        row["evaluated"],
        row["side"],
        price(float(row["lower"]), tick),
        price(float(row["upper"]), tick),
        *(price(float(row[each]), tick) for each in PRICES),
        signed(profits[document.fill]),
        span(profits[PROVABLE], profits[TOUCH]),
        _note(row),
    )


def _note(row: Cells) -> str:
    """What became of the orders of a bar, in words."""
    if row["stood_aside"] == "True":
        return "stood aside"
    if row["orders"] == "0":
        return "no order"
    if row["trades"] == "0":
        return "not filled"
    if row["ambiguous"] == "True":
        return f"in doubt, {100 * float(row['probability']):.0f} % by probability"
    return "out at the close" if row["close_at_eod"] == "True" else ""


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of words, each as lines: they take less room so."""
    return ["\n".join(column) for column in zip(*rows, strict=True)]
