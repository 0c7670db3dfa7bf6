"""The screen of `marketsim evening`: orders, sealed plans, and the score of earlier ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from marketsim.cli import output, tables
from marketsim.journal import score_text
from marketsim.results.figures import price

if TYPE_CHECKING:
    from marketsim.cli.evening_document import CheckedSymbol, EveningDocument
    from marketsim.results.orders import Order

MOST_ROWS = 6  # of records: more are those of all symbols together


def evening_screen(document: EveningDocument, ticks: Mapping[str, float]) -> None:
    """Two tables and a few lines: 80 by 24 for a handful of symbols."""
    output.table(
        f"Evening of {document.now.replace('T', ' ')} UTC",
        ("Symbol", "Last bar", "Gaps", "Session", "Order", "Decision", "Sealed"),
        [_plan(symbol_bars, document, ticks) for symbol_bars in document.bars],
        words=7,
    )
    if document.score is not None and (rows := [*document.score.pooled, *document.score.strategies]):
        traded = {(order.symbol, order.strategy) for order in document.orders} | {
            (None, order.strategy) for order in document.orders
        }
        few = rows if len(rows) <= MOST_ROWS else [row for row in rows if (row.symbol, row.strategy) in traded] or rows
        tables.show(score_text.means(few[:MOST_ROWS]))
        output.lines(*score_text.remarks(document.score))
    output.lines(*_said(document))


def _plan(bars: CheckedSymbol, document: EveningDocument, ticks: Mapping[str, float]) -> tuple[str, ...]:
    orders = [order for order in document.orders if order.symbol == bars.symbol]
    step = ticks[bars.symbol]
    return (
        bars.symbol,
        bars.last,
        f"{bars.gaps:,}",
        bars.session,
        "\n".join(_order(order, step) for order in orders) or "none",
        bars.decision,
        _entry(bars.symbol, document),
    )


def _order(order: Order, step: float) -> str:
    side = "long" if order.side == "buy" else "short"
    size = "" if order.quantity is None else f"{order.quantity:.10g} "
    target = "close" if order.take_profit is None else price(order.take_profit, step)
    return f"{side} {size}{price(order.entry, step)} to {target}"


def _entry(symbol: str, document: EveningDocument) -> str:
    for entry in document.sealed.entries:
        if entry.symbol == symbol:
            return str(entry.entry)
    for entry in document.sealed.known:
        if entry.symbol == symbol:
            return f"{entry.entry} before"
    return "no"


def _said(document: EveningDocument) -> Iterator[str]:
    fetched = [symbol for symbol in document.fetched if symbol.error is None]
    if fetched:
        providers = ", ".join(dict.fromkeys(symbol.provider for symbol in fetched))
        yield f"Fetched from {providers}: {sum(symbol.new for symbol in fetched):,} new bars."
    for order in document.no_orders:
        yield f"{order.symbol}: no order, {order.why}."
    if document.sealed.head is not None:
        yield f"Head {document.sealed.head}"
