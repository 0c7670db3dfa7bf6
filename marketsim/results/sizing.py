"""Quantities of orders: capital divided over symbols, in whole lots."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from marketsim.results.figures import decimals
from marketsim.results.orders import NEARLY, Order

Risk: TypeAlias = Literal["equal", "volatility"]
COIN_LOT, STOCK_LOT = 0.0001, 1.0


class Sizing(Struct, frozen=True):
    """What is spread, how, and in which steps."""

    capital: float  # in the currency of the prices
    risk: Risk  # equal: the same amount for each symbol; volatility: in inverse proportion to its forecast range
    most: float  # share of the capital that one symbol may have
    lots: Mapping[str, float]  # by symbol


def sized(orders: Sequence[Order], ranges: Mapping[str, float], sizing: Sizing) -> list[Order]:
    """The orders with their quantities, rounded down to a lot; an order of less than a lot is left out.

    Every symbol with an order gets its share of the capital, which its orders, a long and a short, divide: both may
    fill on one bar. What a symbol may not have (`most`) stays in cash. `ranges` are forecast high less forecast low,
    fractions of the close.
    """
    symbols = list(dict.fromkeys(order.symbol for order in orders))
    weights = {symbol: 1.0 if sizing.risk == "equal" else 1.0 / max(ranges[symbol], 1e-9) for symbol in symbols}
    total = sum(weights.values())
    found = []
    for order in orders:
        share = min(weights[order.symbol] / total, sizing.most)
        amount = sizing.capital * share / sum(other.symbol == order.symbol for other in orders)
        lot = sizing.lots[order.symbol]
        quantity = math.floor(amount / order.entry / lot + NEARLY) * lot
        if quantity > 0:
            found.append(replace(order, quantity=round(quantity, decimals(lot))))
    return found
