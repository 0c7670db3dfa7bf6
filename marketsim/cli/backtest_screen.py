"""The screen of a backtest, new or saved."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from marketsim.cli import output, tables
from marketsim.cli.plan_table import plan_table, why_not
from marketsim.cli.summary import summary

if TYPE_CHECKING:
    from marketsim.results.evidence_schema import PooledRow, Tried
    from marketsim.results.planned_orders import PlannedOrders
    from marketsim.results.schema import FailedSymbol, SymbolDocument

FEW = 3  # symbols, more of which have the summary only


def show(
    symbols: Iterable[SymbolDocument | FailedSymbol],
    count: int,
    pooled: Sequence[PooledRow],
    reality_check: Tried | None,
    full: bool,
    explain: bool,
) -> None:
    """Show each of a few symbols, or of all with --full; otherwise a summary and the plan."""
    from marketsim.results.planned_orders import PlannedOrders
    from marketsim.results.schema import FailedSymbol
    from marketsim.results.text_tables import summary_row

    rows, failures, look_ahead = [], [], False
    plan = PlannedOrders()
    for symbol in symbols:
        if full or count <= FEW:
            tables.symbol(symbol, full, explain)
        rows.append(summary_row(symbol))
        if isinstance(symbol, FailedSymbol):
            failures.append(symbol)
        else:
            look_ahead |= symbol.model.look_ahead is not None
            plan.add(symbol)
    output.mark(look_ahead)
    if count > 1:
        summary(rows, pooled, reality_check, explain)
    if count > FEW:
        _plan(plan, explain)
        if not full:
            for failed in failures:
                output.lines(f"{failed.symbol} failed: {failed.error}", "")


def _plan(plan: PlannedOrders, explain: bool) -> None:
    if plan.orders:
        plan_table(plan.orders, plan.ticks)
        tables.explain("plan", explain)
    if none := [order for order in plan.none if order.decision is not None]:  # failures are told apart
        output.bullets(*(f"{reason}." for reason in why_not(none)))
        output.lines("")
