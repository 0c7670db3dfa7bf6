"""The rows of a symbol's CSV files as arrays for pictures and as text for the table of trades."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.results.figures import decimals, price, signed, span
from marketsim.results.html.exits import Exit, exits
from marketsim.results.schema import CostsRow, SymbolDocument
from marketsim.settings.choices import BASIS_POINTS, PROVABLE, TOUCH

Cells = Mapping[str, str]
PART = 1e-8  # of the stake, which summed profits are rounded to,
WHOLE = 1e9  # unless they are more than so many parts
PRICES = ("open", "high", "low", "close")
HEADERS = ("Bar", "Side", "Note", "bps", "Worst .. best", "Lower level", "Upper level", "Open", "High", "Low", "Close")
NOT_FILLED, AT_CLOSE, TAKEN, IN_DOUBT = range(4)  # how a trade ended, in the arrays
NONE: Exit = "not filled"
ENDINGS: dict[Exit, int] = {"not filled": NOT_FILLED, "close": AT_CLOSE, "take-profit": TAKEN, "in doubt": IN_DOUBT}


class PackedRows(Struct, frozen=True):
    """What `pack` takes."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]


def rows_of(document: SymbolDocument, simulations: str, equity: str) -> PackedRows:
    """The pictures of a symbol's walk, oldest bar first.

    All arrays are whole numbers, which take less room: `headline` `[K, S]` is the headline of each bar, and `below` and
    `above` `[K, S]` by how much the worst and the best case are apart from its sum, in parts of the stake; `bars`
    `[S, 4]` and `levels` `[2, strategies, S]`, upper and lower, are in ticks.
    """
    sums = list(csv.DictReader(StringIO(equity)))
    trades = list(csv.DictReader(StringIO(simulations)))
    names = [row.name for row in document.rows]
    fitted = [row.name for row in document.rows if row.kind == "strategy"]
    by_name = {name: [row for row in sums if row["name"] == name] for name in names}
    walks = {name: [row for row in trades if row["strategy"] == name][::-1] for name in fitted}
    bars = walks[fitted[0]]
    found = np.stack([_table(by_name.values(), column) for column in (document.fill, PROVABLE, TOUCH)])
    part = max(PART, float(np.abs(found).max()) / WHOLE)
    headline, worst, best = np.rint(found / part).astype(np.int32)
    facts = {
        "names": names,
        "strategies": fitted,
        "times": [row["evaluated"] for row in bars],
        "next": document.plan[0].bar,
        "part": part,
        "tick": document.bars.tick,
        "decimals": decimals(document.bars.tick),
        "headers": HEADERS,
    }
    tick = document.bars.tick
    prices = np.array([[float(row[column]) for column in PRICES] for row in bars])
    levels = np.stack([_table(walks.values(), level) for level in ("upper", "lower")])
    arrays: dict[str, NDArray[Any]] = {
        "headline": np.diff(headline, axis=1, prepend=np.int32(0)),
        "below": headline - worst,
        "above": best - headline,
        "bars": np.rint(prices / tick).astype(np.int32),
        "levels": np.rint(levels / tick).astype(np.int32),
    }
    ends = [
        [_exits(row, before, document.costs) for row, before in zip(rows, [None, *rows], strict=False)]
        for rows in walks.values()
    ]
    facts["cells"] = [
        _columns([_cells(row, end, document) for row, end in zip(rows, found, strict=True)])
        for rows, found in zip(walks.values(), ends, strict=True)
    ]
    endings = [[[ENDINGS[ending] for ending in pair] for pair in found] for found in ends]
    arrays["endings"] = np.array(endings, np.uint8)  # [strategy, bar, long and short]
    return PackedRows(facts, arrays)


def _table(groups: Any, column: str) -> NDArray[np.float64]:
    return np.array([[float(row[column]) for row in rows] for rows in groups])


def _exits(row: Cells, before: Cells | None, costs: CostsRow) -> tuple[Exit, Exit]:
    return exits(row, None if before is None else float(before["close"]), costs)


def _cells(row: Cells, ends: tuple[Exit, Exit], document: SymbolDocument) -> tuple[str, ...]:
    """A bar in the table of trades."""
    tick = document.bars.tick
    profits = {fill: BASIS_POINTS * float(row[fill]) for fill in (PROVABLE, document.fill, TOUCH)}
    return (
        row["evaluated"],
        row["side"],
        _note(row, ends),
        signed(profits[document.fill]),
        span(profits[PROVABLE], profits[TOUCH]),
        *(price(float(row[name]), tick) for name in ("lower", "upper", *PRICES)),
    )


def _note(row: Cells, ends: tuple[Exit, Exit]) -> str:
    """What became of the orders of a bar, in words."""
    if row["stood_aside"] == "True":
        return "stood aside"
    if row["orders"] == "0":
        return "no order"
    if row["trades"] == "0":
        return "not filled"
    if row["ambiguous"] == "True":
        return f"in doubt, {100 * float(row['probability']):.0f} % by probability"
    return " and ".join(dict.fromkeys("exit at the close" if end == "close" else end for end in ends if end != NONE))


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Columns of words, each as lines: they take less room so."""
    return ["\n".join(column) for column in zip(*rows, strict=True)]
