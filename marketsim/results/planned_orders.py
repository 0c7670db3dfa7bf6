"""The orders of a run's symbols, and why the others have none."""

from __future__ import annotations

from collections.abc import Callable

from marketsim.results.orders import NoOrder, Order, planned
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.results.sizing import Sizing, sized

Step = Callable[[SymbolDocument], float]


def bars_tick(document: SymbolDocument) -> float:
    """The step of the bars' prices."""
    return document.bars.tick


class PlannedOrders:
    """Orders in the order of their symbols; `only` keeps those of symbols with that decision."""

    def __init__(self, tick: Step = bars_tick, only: str | None = None) -> None:
        self.orders: list[Order] = []
        self.none: list[NoOrder] = []
        self.ticks: dict[str, float] = {}
        self.ranges: dict[str, float] = {}  # forecast high less forecast low, fractions of the close
        self._tick, self._only = tick, only

    def add(self, document: SymbolDocument | FailedSymbol) -> None:
        """The next symbol."""
        if isinstance(document, FailedSymbol):
            self.none.append(NoOrder(symbol=document.symbol, decision=None, why=document.error))
            return
        symbol, decision = document.symbol, document.decision
        self.ticks[symbol], self.ranges[symbol] = self._tick(document), document.plan[0].forecast_range
        found = planned(document, self.ticks[symbol])
        if isinstance(found, NoOrder):
            self.none.append(found)
        elif self._only is not None and decision != self._only:
            self.none.append(NoOrder(symbol=symbol, decision=decision, why=f"the decision is {decision}"))
        else:
            self.orders += found

    def size(self, sizing: Sizing) -> None:
        """Give each order its quantity; those of less than a lot are none."""
        wanted, self.orders = self.orders, sized(self.orders, self.ranges, sizing)
        kept = {order.symbol for order in self.orders}
        for symbol, decision in {order.symbol: order.decision for order in wanted if order.symbol not in kept}.items():
            why = "its share of the capital buys less than a lot"
            self.none.append(NoOrder(symbol=symbol, decision=decision, why=why))
