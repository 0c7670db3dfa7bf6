"""The tables of a result, the same in the terminal and on a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from marketsim.results.evidence_schema import PooledRow
from marketsim.results.figures import mean, number, percent, price, ratio, signed, span
from marketsim.results.orders import NoOrder, orders_of
from marketsim.results.schema import FailedSymbol, PlanRow, StrategyRow, SymbolDocument
from marketsim.results.timing import TimingDocument
from marketsim.results.wording import number_of
from marketsim.settings.choices import BASIS_POINTS, HOLDING

if TYPE_CHECKING:
    from marketsim.results.calibration_schema import CalibratedSymbol, TenthRow


class TextTable(Struct, frozen=True):
    """A table whose first `words` columns are text, the others numbers; cells may hold several lines."""

    title: str
    headers: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1


def profit(symbol: SymbolDocument) -> TextTable:
    """What each strategy earned a bar."""
    fill, walk = symbol.evidence.fill, symbol.evaluated
    booked = symbol.fill != fill  # by another policy than the one that decides: what that comes to has its own column
    headers = (
        "Strategy",
        "In-\nsample",
        *([f"By\n{symbol.fill}"] if booked else []),
        "Out-of-\nsample",
        "95 % interval",
        "Smallest\nedge",
        "Bars for\n10 bps",
    )
    rows = [
        (
            row.name,
            signed(row.in_sample_bps),
            *([signed(BASIS_POINTS * row.headline / row.bars)] if booked else []),
            *mean(row),
        )
        for row in _with_orders(symbol)
    ]
    fills = f"{fill} fills (fit: {symbol.fill})" if booked else f"{fill} fills"
    return TextTable(f"Profit in bps a bar, {number_of(walk.bars, 'bar')} to {walk.last}, {fills}", headers, rows)


def total(symbol: SymbolDocument) -> TextTable:
    """What each strategy earned in all."""
    rows = [
        (row.name, signed(100 * row.headline), span(100 * row.provable, 100 * row.touch))
        for row in _with_orders(symbol)
    ]
    headers = ("Strategy", "Out-of-\nsample %", "Worst .. best\ncase %")
    return TextTable(f"Sum over all bars, {symbol.fill} fills, and its range", headers, rows)


def _with_orders(symbol: SymbolDocument) -> list[StrategyRow]:
    """The rows of tables; of the others a line says why they placed no order."""
    return [row for row in symbol.rows if row.orders]


def trades(symbol: SymbolDocument) -> TextTable:
    """How often each strategy traded."""
    headers = ("Strategy", "Stood\naside", "Trades", "Fill\n%", "Win\n%", "Ambiguous\nbars", "Take-profit\nprob. %")
    rows = [
        (
            row.name.replace(" ", "\n"),
            "-" if row.stood_aside is None else str(row.stood_aside),
            str(row.trades),
            percent(row.fill_rate),
            percent(row.win_rate),
            str(row.ambiguous),
            percent(row.probability),
        )
        for row in _with_orders(symbol)
    ]
    return TextTable("Trades", headers, rows)


def risk(symbol: SymbolDocument) -> TextTable:
    """Ratios of profit and risk."""
    headers = ("Strategy", "Sharpe", "95 % interval", "Sortino", "95 % interval", "Drawdown\n%")
    rows = [
        (
            row.name.replace(" ", "\n"),
            *ratio(row.sharpe, row.sharpe_low, row.sharpe_high),
            *ratio(row.sortino, row.sortino_low, row.sortino_high),
            f"{100 * row.max_drawdown:.1f}",
        )
        for row in _with_orders(symbol)
    ]
    periods = symbol.bars.periods_per_year
    return TextTable(f"Risk, annualized over {periods} bars a year", headers, rows)


def plan(symbol: SymbolDocument) -> TextTable:
    """The orders of each strategy for the next bar."""
    rows: list[tuple[str, ...]] = []
    tick = symbol.bars.tick
    for plan in symbol.plan:
        t, found = number(plan.t), orders_of(plan, symbol)
        if isinstance(found, NoOrder):
            rows.append((plan.strategy, "stands aside" if plan.stood_aside else "no order", "-", "-", "-", t))
            continue
        for order in found:
            target = "-" if order.take_profit is None else price(order.take_profit, tick)
            rows.append((plan.strategy, order.side, price(order.entry, tick), target, order.exit, t))
    headers = ("Strategy", "Side", "Limit\nentry", "Take-\nprofit", "Exit", "t")
    return TextTable(_plan_title(symbol.plan[0], tick), headers, rows, words=2)


def _plan_title(plan: PlanRow, tick: float) -> str:
    """What a plan is called; it is none once its bar is over."""
    newest = f"the last bar is {plan.after}, close {price(plan.close, tick)}"
    return f"No plan, as the session {plan.bar} is over; {newest}" if plan.stale else f"Plan for {plan.bar}; {newest}"


def summary_row(symbol: SymbolDocument | FailedSymbol) -> tuple[str, ...]:
    """A symbol on a line: its decision, the better strategy, and holding over the same bars."""
    if isinstance(symbol, FailedSymbol):
        return symbol.symbol, "failed", *["-"] * 6
    row = next((row for row in symbol.rows if row.name == symbol.strategy), None)
    held = signed(next(row.mean_bps for row in symbol.rows if row.name == HOLDING))
    if row is None:
        return symbol.symbol, symbol.decision, "none", *["-"] * 4, held
    return symbol.symbol, symbol.decision, row.name, *mean(row), held


def pooled_row(row: PooledRow) -> tuple[str, ...]:
    """A strategy on all symbols together, under those of `summary_row`."""
    return (
        f"all {row.symbols:,}",
        "together",
        row.strategy,
        *mean(row),
        "-",
    )


SUMMARY_HEADERS = (
    "Symbol",
    "Decision",
    "Strategy",
    "bps/\nbar",
    "95 % interval",
    "Smallest\nedge",
    "Bars for\n10 bps",
    "Holding",
)


def summary(rows: Sequence[tuple[str, ...]], pooled: Sequence[PooledRow]) -> TextTable:
    """The rows of several symbols, and those of all together."""
    return TextTable(
        "Summary: the better strategy of each symbol", SUMMARY_HEADERS, [*rows, *map(pooled_row, pooled)], words=3
    )


def together(pooled: Sequence[PooledRow]) -> TextTable:
    """The strategies on all symbols together."""
    rows = [(row.strategy, *mean(row)) for row in pooled]
    headers = ("Strategy", "bps/\nbar", "95 % interval", "Smallest\nedge", "Bars for\n10 bps")
    dates = max(row.dates for row in pooled)
    return TextTable(f"All {pooled[0].symbols} symbols together, {number_of(dates, 'date')}", headers, rows)


def timing(document: TimingDocument) -> TextTable:
    """Where the time of the run went, from the start of the process; of several symbols, what they cost together."""
    rows = [(name, f"{stage.seconds:.3f}", f"{stage.share:.0%}") for name, stage in document.stages.items()]
    return TextTable(
        "Timing", ("Stage", "Seconds", "Share"), [*rows, ("total", f"{document.total_seconds:.3f}", "100%")]
    )


def reliability(found: CalibratedSymbol) -> TextTable:
    """Predicted probability and observed share of take-profits in doubt."""
    rows = [_tenth(tenth) for tenth in found.tenths if tenth.cases]
    headers = ("Probability", "Cases", "Predicted\n%", "Observed\n%", "95 % interval\n%")
    return TextTable("Take-profits in doubt, by their probability", headers, rows)


def _tenth(tenth: TenthRow) -> tuple[str, ...]:
    interval = "-" if tenth.low is None or tenth.high is None else f"{100 * tenth.low:.0f} .. {100 * tenth.high:.0f}"
    return (
        f"{tenth.above:.1f} to {tenth.above + 0.1:.1f}",
        f"{tenth.cases:,}",
        percent(tenth.predicted),
        percent(tenth.observed),
        interval,
    )
