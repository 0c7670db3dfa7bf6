"""The tables of a backtest: its documents as rows of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from marketsim.cli import output
from marketsim.errors import MarketsimError

if TYPE_CHECKING:
    from marketsim.comparison.skill import SkillRow
    from marketsim.results.schema import (
        BarsFacts,
        ExposureCounts,
        FailedSymbol,
        FineFacts,
        PlanRow,
        SymbolDocument,
    )
    from marketsim.results.timing import TimingDocument

FULL = 3  # symbols, more of which have the summary only


def backtest(symbols: Iterable[SymbolDocument | FailedSymbol]) -> None:
    """Every symbol's tables, and a line for each symbol that failed."""
    from marketsim.results.schema import FailedSymbol

    for symbol in symbols:
        if isinstance(symbol, FailedSymbol):
            output.lines(f"{symbol.symbol} failed: {symbol.error}", "")
            continue
        output.mark(look_ahead=symbol.model.look_ahead is not None)
        _header(symbol)
        _profit(symbol)
        _trades(symbol)
        _risk(symbol)
        _plan(symbol)
        output.lines(f"{symbol.symbol}: {symbol.verdict}.", "")


def summary_row(symbol: SymbolDocument | FailedSymbol, seconds: float) -> tuple[str, ...]:
    """A symbol in a few words, those of `summary`; a line a strategy, and one more for its second order."""
    from marketsim.results.schema import FailedSymbol

    if isinstance(symbol, FailedSymbol):
        return symbol.symbol, "-", "-", "-", "-", f"{seconds:.2f}", "failed"
    lines = []
    for row, plan in zip(symbol.rows, symbol.plan, strict=False):  # strategies come before baselines
        orders = [f"{order.side} {order.entry}" for order in _orders(plan)] or [
            "stand aside" if plan.stood_aside else "flat"
        ]
        if plan.stale:
            orders = [f"over: {plan.bar}"]
        profit = signed(100 * row.headline), span(100 * row.provable, 100 * row.touch)
        lines += [(row.name, *profit, orders[0]), *(("", "", "", order) for order in orders[1:])]
    return symbol.symbol, *("\n".join(cells) for cells in zip(*lines, strict=True)), f"{seconds:.2f}", "ok"


def summary(rows: Sequence[tuple[str, ...]], failures: Sequence[MarketsimError]) -> None:
    """The rows of several symbols, and why some failed where no table says it."""
    if len(rows) < 2:
        return
    headers = ("Symbol", "Strategy", "Out-of-\nsample %", "Worst .. best\ncase %", "Plan", "Seconds", "Status")
    output.table("Summary", headers, rows, words=2)
    if len(rows) > FULL:
        for failure in failures:
            output.lines(f"failed: {failure}")


def _header(symbol: SymbolDocument) -> None:
    bars, model, optimizer, evaluated = symbol.bars, symbol.model, symbol.optimizer, symbol.evaluated
    repaired = f", {model.repaired} forecasts repaired" if model.repaired else ""
    exposed = "".join(
        f", {count} bars {tag}"
        for tag, count in (("contaminated", model.exposure.contaminated), ("unknown", model.exposure.unknown))
        if count
    )
    fallbacks = (
        f", {optimizer.fallbacks} of {optimizer.fits} fits fell back to differential-evolution"
        if optimizer.fallbacks
        else ""
    )
    gate = f"; no order where its in-sample t is below {symbol.min_t:g}" if symbol.min_t else ""
    costs = symbol.costs
    output.lines(
        f"{symbol.symbol}  {bars.source}",
        f"Bars   {extent(bars)}",
        f"Walk   {evaluated.bars} bars from {evaluated.first} to {evaluated.last}",
        f"Model  {model.name} {model.version}, {model.training}{exposed}{repaired}"
        f"{f', {output.LOOK_AHEAD}' if model.look_ahead else ''}",
        f"Fit    {optimizer.name}{fallbacks}{gate}",
        *([f"Fine   {fine(symbol.fine)}"] if symbol.fine else []),
        f"Fills  {symbol.fill}; {'long only (crypto)' if bars.crypto else 'long and short'}",
        f"Costs  {costs.fee_bps:g} bps a side, slippage {costs.slippage_bps:g} bps on closes",
        "",
    )


def fine(facts: FineFacts) -> str:
    """How far finer bars reach, how far they agree, and which part of the doubt they settle."""
    covered = ", ".join(f"{series.timeframe}: {series.covered} of {facts.bars} bars" for series in facts.series)
    apart = f", {facts.apart_bps:.1f} bps apart" if facts.apart_bps else ""
    rescaled = f", {facts.rescaled} rescaled" if facts.rescaled else ""
    disagree = f", {facts.disagreeing} disagree" if facts.disagreeing else ""
    settled = (
        f"; {facts.settled / facts.ambiguous:.0%} of {facts.ambiguous} ambiguous legs settled"
        if facts.ambiguous
        else ""
    )
    rest = ", the rest by probability" if facts.left else ""
    return f"{covered}{apart}{rescaled}{disagree}{settled}{rest}"


def _profit(symbol: SymbolDocument) -> None:
    headers = (
        "Strategy",
        "In-sample\nbps/bar",
        "Out-of-\nsample %",
        "Worst .. best\ncase %",
        "Mean\nbps/bar",
        "95 % interval\nbps/bar",
    )
    rows = [
        (
            row.name.replace(" ", "\n"),
            signed(row.in_sample_bps),
            signed(100 * row.headline),
            span(100 * row.provable, 100 * row.touch),
            signed(row.mean_bps),
            span(row.low_bps, row.high_bps),
        )
        for row in symbol.rows
    ]
    output.table(f"Profit by {symbol.fill} fills, and the range that bars leave open", headers, rows)


def _trades(symbol: SymbolDocument) -> None:
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
        for row in symbol.rows
    ]
    output.table("Trades", headers, rows)


def _risk(symbol: SymbolDocument) -> None:
    headers = ("Strategy", "Sharpe", "Sortino", "Drawdown\n%")
    rows = [
        (
            row.name.replace(" ", "\n"),
            _number(row.sharpe),
            _number(row.sortino),
            f"{100 * row.max_drawdown:.1f}",
        )
        for row in symbol.rows
    ]
    periods = symbol.bars.periods_per_year
    output.table(f"Risk, annualized over {periods} bars a year", headers, rows)


def _plan(symbol: SymbolDocument) -> None:
    rows = []
    for plan in symbol.plan:
        policy = "market order at the close" if plan.close_at_eod else "take-profit, else at the close"
        orders = _orders(plan)
        t = _number(plan.t)
        rows += [(plan.strategy, order.side, policy, order.entry, order.target, t) for order in orders]
        if not orders:
            why = _no_order(plan, symbol.min_t)
            rows.append((plan.strategy, plan.side, why, "-", "-", t))
    output.table(
        _plan_title(symbol.plan[0]), ("Strategy", "Side", "Exit policy", "Entry", "Take-profit", "t"), rows, words=3
    )


def _no_order(plan: PlanRow, min_t: float) -> str:
    """Why there is none."""
    if not plan.stood_aside:
        return "no order"
    return "no order: no take-profit pays the costs" if plan.t is None else f"no order: t is below {min_t:g}"


def _plan_title(plan: PlanRow) -> str:
    """What a plan is called; it is none once its bar is over."""
    after = f"after {plan.after} (close {price(plan.close)})"
    if plan.stale:
        return f"No plan: the bar {plan.bar} is over; its levels, {after}"
    return f"Plan for the bar {plan.bar}, {after}"


class _Order(Struct, frozen=True):
    side: str  # long or short
    entry: str  # price
    target: str  # price, or - without a take-profit


def _orders(plan: PlanRow) -> list[_Order]:
    """A long enters at the lower level and takes profit at the upper; a short the reverse."""
    levels = {"long": (plan.lower, plan.upper), "short": (plan.upper, plan.lower)}
    return [
        _Order(side, price(entry), "-" if plan.close_at_eod else price(target))
        for side, (entry, target) in levels.items()
        if side in plan.side.split(" and ")
    ]


def timing(document: TimingDocument) -> None:
    """Where the time of the run went, from the start of the process; of several symbols, what they cost together."""
    stages = document.stages.items()
    rows = [(name, f"{stage.seconds:.3f}", f"{stage.share:.0%}") for name, stage in stages]
    rows.append(("total", f"{document.total_seconds:.3f}", "100%"))
    output.table("Timing", ("Stage", "Seconds", "Share"), rows)
    forecasts, rate, wall = document.forecasts, document.fits_per_second, document.wall_seconds
    made = f"{forecasts.made:,} forecasts made, {forecasts.reused:,} reused"
    fits = f"{document.fits:,} fits made" + (f" ({rate:,.0f} a second)" if rate else "")
    if document.symbols == 1:
        output.lines(made, fits, f"{wall:.2f} s from the start of the process")
        return
    count, work = document.symbols, document.symbol_seconds
    output.lines(fits, f"{count:,} symbols: {wall:.1f} s, {work:.1f} s of work, {work / wall:.2f}x; {made}")


def extent(bars: BarsFacts) -> str:
    """How many bars there are, from when to when, and what is missing of them."""
    dropped = f", {bars.dropped} bad ones left out" if bars.dropped else ""
    return f"{bars.count:,} from {bars.first} to {bars.last}, {bars.gaps} gaps{dropped}"


def signed(value: float | None) -> str:
    """A number with its sign, one digit after the point; `-` for None."""
    return "-" if value is None else f"{value:+.1f}"


def span(low: float | None, high: float | None) -> str:
    """From one number to another, or the one that both are."""
    return signed(low) if low == high else f"{signed(low)} .. {signed(high)}"


def percent(value: float | None) -> str:
    """A share in whole per cent; `-` for None."""
    return "-" if value is None else f"{100 * value:.0f}"


def exposed(counts: ExposureCounts) -> str:
    """How many bars are clean, contaminated and unknown, of what there are."""
    tags = {"clean": counts.clean, "contaminated": counts.contaminated, "unknown": counts.unknown}
    return ", ".join(f"{count} {tag}" for tag, count in tags.items() if count)


def skill(row: SkillRow) -> str:
    """How much of a baseline's loss is saved, and what to think of it."""
    if row.verdict == "same":
        return "same"
    return f"{round(100 * row.skill, 1) or 0.0:+.1f} %\n{row.verdict}"  # no -0.0


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def price(value: float) -> str:
    """A price in as many digits as it needs."""
    return f"{value:,.2f}" if value >= 100 else f"{value:.6g}"
