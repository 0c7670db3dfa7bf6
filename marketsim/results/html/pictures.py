"""Text descriptions of pictures, and the points of small ones."""

from __future__ import annotations

import csv
from io import StringIO

from marketsim.results.figures import signed, span
from marketsim.results.schema import StrategyRow, SymbolDocument

WIDTH, HEIGHT = 280, 24  # of a sparkline, in its own units


def shown_strategy(document: SymbolDocument) -> StrategyRow:
    """The one that the decision is about, or else the first."""
    return next((row for row in document.rows if row.name == document.strategy), document.rows[0])


def equity_words(document: SymbolDocument) -> str:
    """A text description of the picture of profits."""
    row, held, bars = shown_strategy(document), document.rows[-1], document.evaluated
    return (
        f"Summed profit of {row.name} on {bars.bars} bars from {bars.first} to {bars.last}: it ends at "
        f"{signed(100 * row.headline)} %, worst and best case {span(100 * row.provable, 100 * row.touch)} %; "
        f"{held.name} ends at {signed(100 * held.headline)} %. Largest fall: {100 * row.max_drawdown:.1f} %."
    )


def sparkline(document: SymbolDocument, equity: str) -> str:
    """The points of a symbol's summed profit; none where the run kept no rows."""
    name = shown_strategy(document).name
    sums = [0.0, *(float(row[document.fill]) for row in csv.DictReader(StringIO(equity)) if row["name"] == name)]
    if len(sums) < 2:
        return ""
    least, most = min(sums), max(sums)
    room = (most - least) or 1.0
    step = WIDTH / (len(sums) - 1)
    return " ".join(f"{i * step:.0f},{HEIGHT - 1 - (HEIGHT - 2) * (x - least) / room:.0f}" for i, x in enumerate(sums))
