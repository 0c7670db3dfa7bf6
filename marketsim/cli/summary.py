"""Several symbols at a glance: an answer each, what they come to together, and how easily luck explains the best."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketsim.cli import output, tables
from marketsim.results.sentences import reality_check

if TYPE_CHECKING:
    from marketsim.results.evidence_schema import PooledRow, Tried
    from marketsim.results.schema import FailedSymbol, SymbolDocument


def summary_row(symbol: SymbolDocument | FailedSymbol) -> tuple[str, ...]:
    """A symbol on a line: its answer and the better strategy."""
    from marketsim.results.schema import FailedSymbol

    if isinstance(symbol, FailedSymbol):
        return symbol.symbol, "failed", *["-"] * 6
    row = next((row for row in symbol.rows if row.name == symbol.strategy), None)
    held = tables.signed(symbol.evidence.holding_bps) if symbol.evidence.bars else "-"
    if row is None:
        return symbol.symbol, symbol.decision, "none", *["-"] * 4, held
    return symbol.symbol, symbol.decision, row.name, *tables.mean(row), held


def summary(rows: Sequence[tuple[str, ...]], pooled: Sequence[PooledRow], check: Tried | None, explain: bool) -> None:
    """The rows of several symbols, those of all together, and the reality check."""
    headers = (
        "Symbol",
        "Answer",
        "Strategy",
        "bps/\nbar",
        "95 % interval",
        "Smallest\nedge",
        "Bars for\n10 bps",
        "Hold-\ning",
    )
    output.table("Summary: the better strategy of each symbol", headers, [*rows, *map(_pooled, pooled)], words=3)
    if check is not None:
        output.lines(reality_check(check), "")
    tables.explain("summary", explain)


def _pooled(row: PooledRow) -> tuple[str, ...]:
    return (
        f"all {row.symbols}",
        "together",
        row.strategy,
        *tables.mean(row),
        "-",
    )
