"""Quantities never spend more than the capital, nor more on a symbol than it may have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from marketsim.data.symbols import coin_and_quote
from marketsim.results.alpaca_orders import alpaca_order, left_to_do
from marketsim.results.orders import Order, orders_of
from marketsim.results.sizing import Sizing, sized
from tests.documents import plan_row, symbol_document


def orders(*symbols: str, side: str = "long") -> list[Order]:
    found: list[Order] = []
    for symbol in symbols:
        made = orders_of(plan_row("a", side, False), symbol_document(symbol=symbol))
        assert isinstance(made, list)
        found += made
    return found


@given(
    st.floats(1, 1e7),
    st.sampled_from(("equal", "volatility")),
    st.floats(0.01, 1),
    st.dictionaries(st.sampled_from("ABCDEF"), st.floats(1e-4, 0.3), min_size=1),
    st.sampled_from((1.0, 0.001, 100.0)),
    st.sampled_from(("long", "short", "long and short")),
)
def test_no_symbol_gets_more_than_it_may_have_and_all_no_more_than_there_is(
    capital, risk, most, ranges, lot, side
) -> None:
    sizing = Sizing(capital=capital, risk=risk, most=most, lots=dict.fromkeys(ranges, lot))
    found = sized(orders(*ranges, side=side), ranges, sizing)
    spent = {symbol: sum(o.quantity * o.entry for o in found if o.symbol == symbol) for symbol in ranges}
    assert max(spent.values()) <= most * capital * (1 + 1e-6) + 1e-6 * lot * 600
    assert sum(spent.values()) <= capital * (1 + 1e-6) + 1e-6 * lot * 600 * len(found)
    for order in found:
        assert order.quantity > 0
        assert order.quantity / lot == pytest.approx(round(order.quantity / lot), abs=1e-6)


def test_equal_amounts_or_less_where_more_moves() -> None:
    ranges, lots = {"A": 0.02, "B": 0.06}, {"A": 0.001, "B": 0.001}
    equal = sized(orders("A", "B"), ranges, Sizing(capital=10_000, risk="equal", most=1.0, lots=lots))
    assert [order.quantity for order in equal] == [9.254, 9.254]
    other = sized(orders("A", "B"), ranges, Sizing(capital=10_000, risk="volatility", most=1.0, lots=lots))
    assert other[0].quantity == pytest.approx(3 * other[1].quantity, rel=1e-3)
    capped = sized(orders("A", "B"), ranges, Sizing(capital=10_000, risk="volatility", most=0.2, lots=lots))
    assert [order.quantity for order in capped] == [3.701, 3.701]
    assert sized(orders("A"), ranges, Sizing(capital=500, risk="equal", most=1.0, lots={"A": 1.0})) == []
    both = sized(orders("A", side="long and short"), ranges, Sizing(capital=10_000, risk="equal", most=1.0, lots=lots))
    assert [round(order.quantity * order.entry) for order in both] == [4999, 5000]


def test_alpaca_s_own_models_take_the_bodies() -> None:
    requests = pytest.importorskip("alpaca.trading.requests")
    from alpaca.trading.enums import OrderClass, OrderSide, TimeInForce

    (entry,) = orders("NVDA")
    body = alpaca_order(replace(entry, quantity=12.0), tick=0.01, lot=1.0)
    taken = requests.LimitOrderRequest(**body)
    assert (taken.symbol, taken.qty, taken.side, taken.limit_price) == ("NVDA", 12, OrderSide.BUY, 540.25)
    assert (taken.order_class, taken.take_profit.limit_price) == (OrderClass.OTO, 570.5)
    assert (taken.time_in_force, taken.stop_loss) == (TimeInForce.DAY, None)
    assert body["limit_price"] == "540.25"
    closing = alpaca_order(replace(entry, quantity=12.0, take_profit=None, exit="close"), 0.01, 1.0)
    assert requests.LimitOrderRequest(**closing).order_class is None
    (short,) = orders("NVDA", side="short")
    taken = requests.LimitOrderRequest(**alpaca_order(replace(short, quantity=3.0), 0.01, 1.0))
    assert (taken.side, taken.limit_price, taken.take_profit.limit_price) == (OrderSide.SELL, 570.5, 540.25)
    assert coin_and_quote("ETHUSD") == ("ETH", "USD")
    (coin,) = orders("ETHUSD")
    body = alpaca_order(replace(coin, quantity=0.1234), 0.01, 0.0001)
    taken = requests.LimitOrderRequest(**body)
    assert (taken.symbol, body["qty"], taken.time_in_force, taken.take_profit) == (
        "ETH/USD",
        "0.1234",
        TimeInForce.GTC,
        None,
    )
    said = " ".join(left_to_do([replace(coin, quantity=1.0), replace(short, quantity=1.0)]))
    assert "ETHUSD: Alpaca takes no linked orders for coins: send its take-profit 570.5 once it is filled" in said
    assert "a market order for what is open at 2020-12-10T00:00:00+00:00" in said
    assert "NVDA: a position that is still open at the close is closed by an order of its own" in said
    assert "NVDA: a short sale needs a margin account" in said
    said = " ".join(left_to_do([replace(coin, quantity=1.0, take_profit=None)]))
    assert "coins: send a market order for what is open" in said
    assert "NVDA" not in said and "margin" not in said
