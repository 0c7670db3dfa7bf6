"""The orders of a plan: of one strategy for each symbol and one session, with prices on the tick."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from msgspec.structs import replace

from marketsim.results.figures import decimals
from marketsim.results.rows import Instant, Price, Row, Stamp
from marketsim.results.schema import Decision, InSampleT, PlanRow, SymbolDocument

NEARLY = 1e-6  # of a step: what a product of floats may miss


class Order(Row, frozen=True):
    """A limit order for one session, and how its trade ends."""

    symbol: str
    session: Stamp  # the bar that it is for
    zone: str  # of its dates and times
    opens: Instant  # when it can be filled first
    ends: Instant
    strategy: str
    side: Literal["buy", "sell"]  # a sale is a short one
    type: Literal["limit"]
    entry: Price
    take_profit: Price | None
    exit: Literal["take-profit, else close", "close"]
    quantity: float | None  # units; None without a capital
    decision: Decision
    t: InSampleT | None


class NoOrder(Row, frozen=True):
    """A symbol without an order, and why."""

    symbol: str
    decision: Decision | None  # None where the symbol has no result
    why: str


def planned(document: SymbolDocument, tick: float | None = None) -> list[Order] | NoOrder:
    """The orders of the better strategy, which are never added to another's; prices on a grid of `tick`.

    Where no strategy traded in the walk, they are those of the first that has an order now.
    """
    plans = [plan for plan in document.plan if document.strategy in (None, plan.strategy)]
    found = [orders_of(plan, document, tick) for plan in plans]
    return next((orders for orders in found if isinstance(orders, list)), found[0])


def orders_of(plan: PlanRow, document: SymbolDocument, tick: float | None = None) -> list[Order] | NoOrder:
    """The orders of a strategy: a long buys at the lower level and sells at the upper, a short the reverse.

    What is bought is rounded down and what is sold is rounded up: no fill is worse than the one that was tested.
    """
    if (why := no_order(plan, document)) is not None:
        return NoOrder(document.symbol, document.decision, why)
    step = document.bars.tick if tick is None else tick
    lower, upper = down(plan.lower, step), up(plan.upper, step)
    blank = Order(
        symbol=document.symbol,
        session=plan.bar,
        zone=plan.zone,
        opens=plan.trade_opens,
        ends=plan.trade_ends,
        strategy=plan.strategy,
        side="buy",
        type="limit",
        entry=lower,
        take_profit=None if plan.close_at_eod else upper,
        exit="close" if plan.close_at_eod else "take-profit, else close",
        quantity=None,
        decision=document.decision,
        t=plan.t,
    )
    short = replace(blank, side="sell", entry=upper, take_profit=None if plan.close_at_eod else lower)
    sides = plan.side.split(" and ")
    return [order for side, order in (("long", blank), ("short", short)) if side in sides]


def no_order(plan: PlanRow, document: SymbolDocument) -> str | None:
    """Why a strategy places no order; None where it places one."""
    if document.model.look_ahead is not None:
        return "its model was caught looking ahead"
    if plan.stale:
        return f"that session is over (the bars end with {plan.after})"
    if plan.partial:
        return f"the bar {plan.after} is not complete (--partial keep)"
    if plan.stood_aside:
        if plan.t is None:
            return f"{plan.strategy} stands aside, because no take-profit would cover the costs"
        return f"{plan.strategy} stands aside, because its in-sample t of {_below(plan.t, document.min_t)}"
    if plan.side == "flat":
        return f"{plan.strategy} has a short signal, and {document.symbol} cannot be shorted"
    return None


def _below(t: float, least: float) -> str:
    """A t and what it is below, in so many digits that it shows.

    >>> _below(1.234, 1.5), _below(1.4997, 1.5)
    ('1.23 is below 1.5', '1.4997 is below 1.5')
    """
    digits = next((digits for digits in range(2, 15) if round(t, digits) < least), 15)
    return f"{t:.{digits}f} is below {least:g}"


def down(value: float, step: float) -> float:
    """The multiple of `step` at or below a value.

    >>> down(554.129, 0.01), down(554.12, 0.01), down(7.3, 0.25)
    (554.12, 554.12, 7.25)
    """
    return _multiple(math.floor(value / step + NEARLY), step)


def up(value: float, step: float) -> float:
    """The multiple of `step` at or above a value.

    >>> up(554.121, 0.01), up(554.12, 0.01), up(7.3, 0.25)
    (554.13, 554.12, 7.5)
    """
    return _multiple(math.ceil(value / step - NEARLY), step)


def _multiple(count: int, step: float) -> float:
    return round(count * step, decimals(step))


def only(decision: str, orders: Sequence[Order]) -> list[Order]:
    """Those of symbols with a decision."""
    return [order for order in orders if order.decision == decision]
