"""Orders as Alpaca's API takes them at POST /v2/orders, one body each; nothing is sent."""

from __future__ import annotations

from typing import Any

from marketsim.data.symbols import coin_and_quote
from marketsim.results.figures import decimals
from marketsim.results.orders import Order


def alpaca_order(order: Order, tick: float, lot: float) -> dict[str, Any]:
    """The body of one order.

    A stock's entry is a day order, with its take-profit as the second leg of an OTO order where it has one. Alpaca
    takes no such orders for coins: there the entry stands alone, good until canceled. An exit at the close is an order
    of its own, which can be sent once the entry is filled.
    """
    pair = coin_and_quote(order.symbol)
    body: dict[str, Any] = {
        "symbol": order.symbol if pair is None else "/".join(pair),
        "qty": f"{order.quantity or 0:.{decimals(lot)}f}",
        "side": order.side,
        "type": order.type,
        "time_in_force": "day" if pair is None else "gtc",
        "limit_price": f"{order.entry:.{decimals(tick)}f}",
        "client_order_id": f"marketsim-{order.symbol}-{order.session}-{order.strategy}-{order.side}",
    }
    return body if pair is not None else body | _take_profit(order, tick)


def _take_profit(order: Order, tick: float) -> dict[str, Any]:
    if order.take_profit is None:
        return {}
    return {"order_class": "oto", "take_profit": {"limit_price": f"{order.take_profit:.{decimals(tick)}f}"}}


def left_to_do(orders: list[Order]) -> list[str]:
    """What must be done by hand, because Alpaca's orders cannot express it."""
    coins = [order for order in orders if coin_and_quote(order.symbol) is not None]
    stocks = [order for order in orders if order not in coins]
    told = []
    if stocks:
        told.append(
            f"{_symbols(stocks)}: a position that is still open at the close is closed by an order of its own, "
            "a market order with time in force cls"
        )
    for order in coins:
        profit = "" if order.take_profit is None else f"its take-profit {order.take_profit} once it is filled, then "
        told.append(
            f"{order.symbol}: Alpaca takes no linked orders for coins: send {profit}a market order for what is open at "
            f"{order.ends}, and cancel an entry that is not filled by then"
        )
    if shorts := [order for order in orders if order.side == "sell"]:
        told.append(f"{_symbols(shorts)}: a short sale needs a margin account")
    return told


def _symbols(orders: list[Order]) -> str:
    return ", ".join(dict.fromkeys(order.symbol for order in orders))
