"""The answer first: a decision, why, and the order, before any table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketsim.cli import output

if TYPE_CHECKING:
    from marketsim.results.orders import Order
    from marketsim.results.schema import PlanRow, SymbolDocument

BRIEF = 3  # reasons of a short screen
STANDS_ASIDE = (
    12  # round trips of costs: with a smaller forecast range standing aside was better on all assets measured
)


def answer(symbol: SymbolDocument) -> None:
    """A symbol's first three lines."""
    output.heading(f"{symbol.symbol}  {symbol.decision}")
    output.lines(f"{_capital(symbol.verdict)}.", order_line(symbol), "")


def order_line(symbol: SymbolDocument) -> str:
    """The better strategy's order, or why there is none."""
    from marketsim.results.orders import NoOrder, planned

    session, orders = symbol.plan[0].bar, planned(symbol)
    if isinstance(orders, NoOrder):
        return f"No order for {session}: {orders.why}."
    words = "; ".join(_words(order, symbol.bars.tick) for order in orders)
    return f"Order for {session} ({orders[0].strategy}): {words}."


def price(value: float, tick: float) -> str:
    """A price in as many digits as its steps need, without separators.

    >>> price(21341.5, 0.01)
    '21341.50'
    """
    from marketsim.results.orders import decimals

    return f"{value:.{decimals(tick)}f}"


def notes_on_range(plan: PlanRow) -> str | None:
    """What the forecast range is worth, in round trips of costs."""
    if plan.range_in_costs is None:
        return None
    words = f"the forecast range is {plan.range_in_costs:.1f} round trips of costs"
    if plan.range_in_costs >= STANDS_ASIDE:
        return words
    return f"{words}; below {STANDS_ASIDE}, standing aside was better on all nine assets that were measured"


def reasons(symbol: SymbolDocument, brief: bool) -> None:
    """What else a reader should know, each on a line."""
    said = [*symbol.reasons[: BRIEF if brief else None], notes_on_range(symbol.plan[0])]
    output.lines(*(f"- {_capital(reason)}." for reason in said if reason), "")


def _words(order: Order, tick: float) -> str:
    side = {"buy": "buy", "sell": "sell short"}[order.side]
    entry = f"{side} at a limit of {price(order.entry, tick)}"
    if order.take_profit is None:
        return f"{entry}, out at the close"
    return f"{entry}, take-profit {price(order.take_profit, tick)}, else out at the close"


def _capital(text: str) -> str:
    """A sentence begins with a capital letter, but a strategy's name stays as it is."""
    return text if text.startswith(("entry-exit", "always-on")) else text[:1].upper() + text[1:]
