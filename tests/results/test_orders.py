"""Orders are at prices that the market takes, never worse than the level that was tested."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from marketsim.data.ticks import order_tick
from marketsim.results.orders import NoOrder, decimals, down, orders_of, planned, up
from tests.documents import plan_row, symbol_document

TICKS = (1e-8, 0.001, 0.01, 0.05, 0.25, 1.0, 5.0)


@given(st.floats(0.01, 1e6), st.sampled_from(TICKS))
def test_a_price_is_rounded_to_a_tick_on_the_safe_side(price: float, tick: float) -> None:
    below, above = down(price, tick), up(price, tick)
    slack = 2e-6 * tick + 1e-15 * price  # the grain of a float, where a tick is finer
    assert below <= price + slack
    assert above >= price - slack
    assert above - below <= tick * (1 + 1e-6) + 1e-9 * price
    for rounded in (below, above):
        assert rounded == pytest.approx(round(rounded / tick) * tick, rel=1e-12)
        assert (
            f"{rounded:.{decimals(tick)}f}" == f"{rounded:.10f}".rstrip("0").rstrip(".")
            or float(f"{rounded:.{decimals(tick)}f}") == rounded
        )


@given(st.integers(1, 10**8), st.sampled_from((0.001, 0.01, 0.05)))
def test_a_price_on_the_grid_stays(count: int, tick: float) -> None:
    price = count * tick
    assert down(price, tick) == up(price, tick) == pytest.approx(price, rel=1e-12)


def test_a_long_buys_low_and_sells_high_a_short_the_reverse() -> None:
    document = symbol_document(strategy="a")
    plan = replace(plan_row("a", "long and short", False), lower=540.257, upper=570.501)
    long, short = orders_of(plan, document) or []
    assert (long.side, long.entry, long.take_profit) == ("buy", 540.25, 570.51)
    assert (short.side, short.entry, short.take_profit) == ("sell", 570.51, 540.25)
    assert {long.exit, short.exit} == {"take-profit, else close"}
    (closing,) = orders_of(replace(plan, side="short", close_at_eod=True), document, tick=5)
    assert (closing.side, closing.entry, closing.take_profit, closing.exit) == ("sell", 575.0, None, "close")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"stale": True}, "that session is over (the bars end with 2020-12-08)"),
        ({"partial": True}, "the bar 2020-12-08 is not complete"),
        ({"stood_aside": True, "t": 0.4}, "a stands aside, because its in-sample t of 0.40 is below 1"),
        ({"side": "flat"}, "a has a short signal, and ETHUSD cannot be shorted"),
    ],
)
def test_why_there_is_no_order(changes: dict, why: str) -> None:
    found = orders_of(replace(plan_row("a", "long", False), **changes), symbol_document())
    assert isinstance(found, NoOrder)
    assert why in found.why


def test_strategies_are_never_added_up() -> None:
    plans = [plan_row("a", "long", False), plan_row("b", "short", True)]
    for better in ("a", "b"):
        found = planned(symbol_document(plan=plans, strategy=better))
        assert [order.strategy for order in found] == [better]
    undecided = symbol_document(plan=[replace(plans[0], side="flat"), plans[1]], strategy=None)
    assert [order.strategy for order in planned(undecided)] == ["b"]
    asleep = symbol_document(plan=[replace(plan, stood_aside=True) for plan in plans], strategy="b")
    assert isinstance(planned(asleep), NoOrder)


def test_the_tick_is_that_of_the_bars_but_no_finer_than_a_market_takes() -> None:
    import numpy as np

    cents, whole, computed = np.array([10.25, 11.5]), np.array([2500.0, 2510.0]), np.array([138.8531, 139.25])
    assert (order_tick(cents, False), order_tick(whole, False), order_tick(computed, False)) == (0.01, 1.0, 0.01)
    assert order_tick(np.array([0.12345, 0.5]), False) == 0.0001
    assert order_tick(np.array([1.23456, 1.3]), True) == 0.00001
