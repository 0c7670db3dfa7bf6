"""A broker's fills beside the booked ones: order by order, and as a mean."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct, field

from marketsim.data.broker_fills.broker_fill import BrokerFill, BrokerFills
from marketsim.execution.profit_terms import Costs
from marketsim.journal.booking import LONG, SHORT, PastPlans, book_legs
from marketsim.journal.entry import Sealed, SealedOrder, SealedStrategy
from marketsim.journal.score import Score
from marketsim.journal.score_document import GapOrder, RealityGap
from marketsim.results.confidence_sequence import running_interval
from marketsim.settings.choices import BASIS_POINTS

FILLED, MISSED, UNBOOKED, NEITHER = "filled", "missed", "not booked", "neither"
NOTHING = 1e-9  # of what a trade was entered with


class Trade(Struct):
    """A position from its first fill until it is flat again, made of fills in their order."""

    side: str  # long or short
    begun: np.datetime64
    entered: list[BrokerFill] = field(default_factory=list)
    left: list[BrokerFill] = field(default_factory=list)

    @property
    def quantity(self) -> float:
        """Units that were entered."""
        return sum(fill.quantity for fill in self.entered)

    @property
    def open(self) -> float:
        """Units that are still held."""
        return self.quantity - sum(fill.quantity for fill in self.left)


class _Booked(Struct, frozen=True):
    """An order as the backtest's fills book it; fractions of the origin's close."""

    sealed: Sealed
    order: SealedOrder
    side: str
    close: float  # of the origin
    last: float  # close of its own bar
    entry: float | None  # price, where it was filled
    gross: float
    fees: float
    net: float


def trades_of(fills: Iterable[BrokerFill]) -> list[Trade]:
    """The trades of one symbol: what is bought or sold against a position leaves it, what is beyond begins another."""
    found: list[Trade] = []
    for fill in fills:
        side = LONG if fill.side == "buy" else SHORT
        rest = fill
        if found and found[-1].side != side and found[-1].open > NOTHING * found[-1].quantity:
            trade = found[-1]
            part = min(1.0, trade.open / fill.quantity)
            trade.left.append(_share(fill, part))
            if part == 1.0 or 1 - part < NOTHING:
                continue
            rest = _share(fill, 1 - part)
        if found and found[-1].side == side and found[-1].open > NOTHING * found[-1].quantity:
            found[-1].entered.append(rest)
        else:
            found.append(Trade(side, rest.time, [rest]))
    return found


def _share(fill: BrokerFill, part: float) -> BrokerFill:
    fee = None if fill.fee is None else fill.fee * part
    return BrokerFill(fill.symbol, fill.time, fill.side, fill.price, fill.quantity * part, fee, fill.order, fill.place)


def reality_gap(broker: BrokerFills, score: Score) -> RealityGap:
    """The gap between a broker's fills and the booked ones of the sealed orders.

    A trade belongs to the order of its symbol and side in whose session it began. The gap of an order is what was
    earned less what was booked, in basis points of the origin's close: it is the entry's slippage, the fees beyond the
    booked ones, and the rest, which is the exit's. An order that was booked and not filled earned nothing.
    """
    by_symbol: dict[str, list[BrokerFill]] = {}
    for fill in broker.fills:
        by_symbol.setdefault(fill.symbol, []).append(fill)
    orders: list[GapOrder] = []
    stray = unknown = 0
    for symbol, past in score.past.items():
        trades = trades_of(by_symbol.get(symbol, ()))
        taken: set[int] = set()
        for booked in _booked(past):
            own = [i for i, trade in enumerate(trades) if i not in taken and _belongs(trade, booked)]
            taken.update(own)
            orders.append(_order(booked, [trades[i] for i in own]))
        left = [trade for i, trade in enumerate(trades) if i not in taken]
        stray += sum(len(trade.entered) + len(trade.left) for trade in left)
        unknown += sum(fill.fee is None for i in taken for fill in (*trades[i].entered, *trades[i].left))
    others = {symbol: len(own) for symbol, own in by_symbol.items() if symbol not in score.past}
    said = {f"fills of {symbol}, of which no plan is scored": count for symbol, count in others.items()}
    said |= {"fills in no session of a sealed order on their side": stray}
    said |= {"fills whose fee is not known, for which the booked one is taken": unknown}
    notes = [f"{broker.name}: {what}: {count}" for what, count in said.items() if count]
    return _gap(broker, orders, stray + sum(others.values()), unknown, [*broker.notes, *notes])


def _gap(broker: BrokerFills, orders: Sequence[GapOrder], stray: int, unknown: int, notes: list[str]) -> RealityGap:
    told = [order for order in orders if order.what != NEITHER]
    gaps = np.array([order.gap_bps for order in told])
    interval = running_interval(gaps)

    def mean(values: Mapping[str, float] | Sequence[float]) -> float:
        return float(np.sum(list(values))) / len(told) if told else 0.0

    met = [order for order in told if order.what != MISSED]
    return RealityGap(
        file=broker.name,
        layout=broker.layout,
        fills=len(broker.fills),
        stray=stray,
        orders=list(orders),
        filled=sum(order.what == FILLED for order in told),
        missed=sum(order.what == MISSED for order in told),
        unbooked=sum(order.what == UNBOOKED for order in told),
        entry_bps=mean([order.entry_bps for order in met]),
        exit_bps=mean([order.exit_bps for order in met]),
        fees_bps=mean([order.fees_bps for order in met]),
        missed_bps=mean([order.gap_bps for order in told if order.what == MISSED]),
        gap_bps=mean([order.gap_bps for order in told]),
        low_bps=None if interval is None else interval.low,
        high_bps=None if interval is None else interval.high,
        fees=float(sum(fill.fee or 0.0 for fill in broker.fills)),
        fees_unknown=unknown,
        notes=notes,
    )


def _booked(past: PastPlans) -> list[_Booked]:
    """Every sealed order, as it was booked, in the order of the sessions."""
    found: list[_Booked] = []
    for at, sealed in enumerate(past.plans):
        plan = sealed.plan
        by_name = {strategy.strategy: strategy for strategy in plan.strategies}
        found += [_as_booked(past, at, sealed, order, by_name[order.strategy]) for order in plan.orders]
    return found


def _as_booked(past: PastPlans, at: int, sealed: Sealed, order: SealedOrder, strategy: SealedStrategy) -> _Booked:
    plan, side = sealed.plan, LONG if order.side == "buy" else SHORT
    close = float(past.bars.close[past.origins[at]])

    def earned(fee_bps: float, slippage_bps: float) -> tuple[float, int]:
        costs = Costs.from_bps(fee_bps, slippage_bps)
        track = book_legs(past, np.array([at]), [strategy], costs, plan.fill, (side,))
        return float(track.profits[plan.fill][0]), int(track.trades[0])

    net, trades = earned(plan.fee_bps, plan.slippage_bps)
    without_fees, gross = earned(0.0, plan.slippage_bps)[0], earned(0.0, 0.0)[0]
    opened = float(past.bars.open[past.origins[at] + 1])
    level = strategy.lower if side == LONG else strategy.upper
    entry = (min if side == LONG else max)(level / plan.bars.close * close, opened)
    return _Booked(
        sealed=sealed,
        order=order,
        side=side,
        close=close,
        last=float(past.bars.close[past.origins[at] + 1]),
        entry=entry if trades else None,
        gross=gross,
        fees=without_fees - net,
        net=net,
    )


def _belongs(trade: Trade, booked: _Booked) -> bool:
    session = booked.sealed.plan.session
    opens, ends = np.datetime64(session.opens, "s"), np.datetime64(session.ends, "s")
    return trade.side == booked.side and bool(opens <= trade.begun < ends)


def _order(booked: _Booked, trades: Sequence[Trade]) -> GapOrder:
    plan = booked.sealed.plan
    quantity = sum(trade.quantity for trade in trades)
    filled = booked.entry is not None
    what = (FILLED if filled else UNBOOKED) if trades else (MISSED if filled else NEITHER)
    entry_bps = fees_bps = exit_bps = 0.0
    gap = -booked.net if what == MISSED else 0.0
    paid: float | None = None
    held = sum(trade.open for trade in trades)
    if trades:
        sign = 1.0 if booked.side == LONG else -1.0
        entered = [fill for trade in trades for fill in trade.entered]
        left = [fill for trade in trades for fill in trade.left]
        stake = quantity * booked.close
        paid = sum(fill.amount for fill in entered) / quantity
        out = sum(fill.amount for fill in left) + held * booked.last
        gross = sign * (out - paid * quantity) / stake
        known = all(fill.fee is not None for fill in (*entered, *left))
        fees = (
            sum(fill.fee or 0.0 for fill in (*entered, *left)) / stake
            if known
            else _booked_fees(booked, paid, out, stake)
        )
        gap = gross - fees - booked.net
        entry_bps = 0.0 if booked.entry is None else -sign * (paid - booked.entry) / booked.close * BASIS_POINTS
        fees_bps = (booked.fees - fees) * BASIS_POINTS
        exit_bps = gap * BASIS_POINTS - entry_bps - fees_bps
    return GapOrder(
        symbol=plan.symbol,
        session=plan.session.bar,
        strategy=booked.order.strategy,
        side=booked.side,
        what=what,
        booked_entry=booked.entry,
        paid_entry=paid,
        quantity=quantity or None,
        entry_bps=entry_bps,
        exit_bps=exit_bps,
        fees_bps=fees_bps,
        gap_bps=gap * BASIS_POINTS,
        still_open=held > NOTHING * quantity if trades else False,
    )


def _booked_fees(booked: _Booked, paid: float, out: float, stake: float) -> float:
    """The fees that the plan's own rate makes of what was paid and taken, a fraction of the stake."""
    quantity = stake / booked.close
    return booked.sealed.plan.fee_bps / BASIS_POINTS * (paid * quantity + out) / stake
