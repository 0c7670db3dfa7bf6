"""Sealed plans as tables and as CSV."""

from __future__ import annotations

from collections.abc import Sequence

from marketsim.cli import output
from marketsim.journal.entry import Sealed, SealedPlan, SealedStrategy
from marketsim.journal.replay import EFFECTS, Replayed
from marketsim.results.encoding import to_csv
from marketsim.results.figures import price
from marketsim.results.rows import Bps, Count, Price, Row, Stamp
from marketsim.results.wording import number_of


class ExportedRow(Row, frozen=True):
    """A strategy of an entry."""

    entry: Count
    sealed: Stamp
    clock: str
    symbol: str
    origin: Stamp
    session: Stamp
    begins: Stamp
    ends: Stamp
    decision: str
    strategy: str
    side: str
    upper: Price
    lower: Price
    close_at_eod: bool
    high_multiplier: float
    low_multiplier: float
    t: float | None
    stood_aside: bool
    promised_mean_bps: Bps
    promised_low_bps: Bps | None
    promised_high_bps: Bps | None
    model: str
    bars_fingerprint: str
    hash: str


def csv_rows(entries: Sequence[Sealed]) -> str:
    """A row for each strategy of each entry, below a header."""
    rows = [_row(sealed, strategy) for sealed in entries for strategy in sealed.plan.strategies]
    return to_csv(rows) if rows else f"{','.join(ExportedRow.__struct_fields__)}\n"


def entry(sealed: Sealed) -> None:
    """An entry on the screen."""
    plan, own = sealed.plan, sealed.entry
    clock = "by the system's clock" if own.clock == "system" else "at a given time"
    output.heading(f"Entry {own.number}  {plan.symbol}  {plan.session.bar}  {plan.decision}")
    late = "" if sealed.in_time else f"; trading in its session began before, at {plan.session.begins}"
    output.lines(f"Sealed {own.sealed} UTC, {clock}{late}.", f"{plan.verdict}.", "")
    headers = ("Strategy", "Side", "Upper", "Lower", "Exit", "h", "l", "t", "Promised\nbps/bar")
    tick = plan.bars.tick
    output.table("Plans", headers, [_cells(strategy, tick) for strategy in plan.strategies], words=2)
    if plan.orders:
        orders = [
            (
                order.strategy,
                order.side,
                price(order.entry, tick),
                "-" if order.take_profit is None else price(order.take_profit, tick),
                "-" if order.quantity is None else f"{order.quantity:.10g}",
            )
            for order in plan.orders
        ]
        output.table("Orders", ("Strategy", "Side", "Limit\nentry", "Take-\nprofit", "Quantity"), orders, words=2)
    else:
        output.lines(f"No order: {plan.no_order}.", "")
    _forecast(plan)
    output.table("What it rests on", ("Fact", "Value"), _facts(sealed), words=2)


def replayed(rows: Sequence[Replayed], journal: str) -> None:
    """The outcome of replays, a row for each entry."""
    cells = [(str(row.entry), row.symbol, row.session, row.status, _why(row)) for row in rows]
    output.table(
        f"Sealed plans of {journal}, run again", ("Entry", "Symbol", "Session", "Plan", "First\ndifference"), cells, 5
    )
    same = sum(row.status == "same" for row in rows)
    output.lines(f"The same today, to the last digit: {same} of {number_of(len(rows), 'plan')}.", "")


def _why(row: Replayed) -> str:
    """The first difference; revised bars are named even if the plan is the same."""
    if row.error is not None:
        return row.error
    if not row.differences:
        return "-" if row.revised is None else f"none, though bars were revised: {row.revised}"
    first, effect = row.differences[0], next(difference for difference in row.differences if difference.what in EFFECTS)
    where = f"{effect.where}: {_short(effect.left)}, now {_short(effect.right)}"
    if first is effect:
        return f"{effect.what} {where}"
    return f"{first.what}, {first.where}; {effect.what} {where}"


def _short(value: object) -> str:
    return f"{value:.10g}" if isinstance(value, float) else "-" if value is None else str(value)


def _forecast(plan: SealedPlan) -> None:
    levels = [f"{100 * level:.0f} %" for level in plan.forecast.levels]
    rows = [
        (name, *(f"{100 * move:+.2f}" for move in moves))
        for name, moves in (
            ("open", plan.forecast.open),
            ("high", plan.forecast.high),
            ("low", plan.forecast.low),
            ("close", plan.forecast.close),
        )
    ]
    output.table("Forecast moves from the last close, %", ("Price", *levels), rows)


def _cells(row: SealedStrategy, tick: float) -> tuple[str, ...]:
    aside = " (stands aside)" if row.stood_aside else ""
    return (
        row.strategy,
        f"{row.side}{aside}",
        price(row.upper, tick),
        price(row.lower, tick),
        "close" if row.close_at_eod else "take-profit",
        f"{100 * row.high_multiplier:+.2f} %",
        f"{100 * row.low_multiplier:+.2f} %",
        "-" if row.t is None else f"{row.t:.2f}",
        f"{row.promise.mean_bps:+.1f}",
    )


def _facts(sealed: Sealed) -> list[tuple[str, str]]:
    plan = sealed.plan
    libraries = ", ".join(f"{name} {version}" for name, version in plan.libraries.items())
    return [
        ("bars", f"{plan.bars.count:,} from {plan.bars.first} to {plan.bars.last}, {plan.bars.source}"),
        ("their fingerprint", plan.bars.fingerprint),
        ("model", f"{plan.model.name} {plan.model.version}"),
        ("its fingerprint", plan.model.fingerprint),
        ("marketsim", f"{plan.marketsim} ({libraries})"),
        ("its code", plan.code),
        ("entry before", sealed.entry.previous),
        ("hash", sealed.hash),
    ]


def _row(sealed: Sealed, strategy: SealedStrategy) -> ExportedRow:
    entry, plan = sealed.entry, sealed.plan
    return ExportedRow(
        entry=entry.number,
        sealed=entry.sealed,
        clock=entry.clock,
        symbol=plan.symbol,
        origin=plan.bars.last,
        session=plan.session.bar,
        begins=plan.session.begins,
        ends=plan.session.ends,
        decision=plan.decision,
        strategy=strategy.strategy,
        side=strategy.side,
        upper=strategy.upper,
        lower=strategy.lower,
        close_at_eod=strategy.close_at_eod,
        high_multiplier=strategy.high_multiplier,
        low_multiplier=strategy.low_multiplier,
        t=strategy.t,
        stood_aside=strategy.stood_aside,
        promised_mean_bps=strategy.promise.mean_bps,
        promised_low_bps=strategy.promise.low_bps,
        promised_high_bps=strategy.promise.high_bps,
        model=plan.model.name,
        bars_fingerprint=plan.bars.fingerprint,
        hash=sealed.hash,
    )
