"""The table of orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from marketsim.cli import output
from marketsim.results.figures import price

if TYPE_CHECKING:
    from marketsim.results.orders import NoOrder, Order

HEADERS = ("Symbol", "Session", "Side", "Limit\nentry", "Take-\nprofit", "Exit", "Quantity", "Decision", "t")


def plan_table(orders: Sequence[Order], ticks: Mapping[str, float]) -> None:
    """A table of orders, and the zones of their sessions."""
    if not orders:
        output.lines("No order.", "")
        return
    sized = any(order.quantity is not None for order in orders)
    shown = [i for i, header in enumerate(HEADERS) if sized or header != "Quantity"]
    rows = [[cells(order, ticks[order.symbol])[i] for i in shown] for order in orders]
    output.table(
        "Orders; what is not taken at profit is closed at the close", [HEADERS[i] for i in shown], rows, words=3
    )
    short = " A sell opens a short position." if any(order.side == "sell" for order in orders) else ""
    output.lines(f"Sessions are those of {_zones(orders)}.{short}", "")


def cells(order: Order, tick: float) -> tuple[str, ...]:
    """An order as words, those of `HEADERS`."""
    return (
        order.symbol,
        order.session,
        order.side,
        price(order.entry, tick),
        "-" if order.take_profit is None else price(order.take_profit, tick),
        "close",
        "-" if order.quantity is None else f"{order.quantity:.10g}",
        order.decision,
        "-" if order.t is None else f"{order.t:.2f}",
    )


def why_not(orders: Sequence[NoOrder]) -> list[str]:
    """A remark on each symbol without an order."""
    return [f"{order.symbol}: no order, {order.why}" for order in orders]


def _zones(orders: Sequence[Order]) -> str:
    zones: dict[str, list[str]] = {}
    for order in orders:
        names = zones.setdefault(order.zone, [])
        if order.symbol not in names:
            names.append(order.symbol)
    if len(zones) == 1:
        return next(iter(zones))
    return " and ".join(f"{zone} ({', '.join(symbols)})" for zone, symbols in zones.items())
