"""The tables of a backtest: the document of a symbol as rows of words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketsim.cli import answer, output
from marketsim.results.figures import mean as mean  # beside the other figures of tables
from marketsim.results.figures import number, ratio
from marketsim.results.figures import percent as percent
from marketsim.results.figures import price as price_in_steps
from marketsim.results.figures import signed as signed
from marketsim.results.figures import span as span
from marketsim.results.figures import whole as whole
from marketsim.results.sentences import fine as fine
from marketsim.results.wording import number_of

if TYPE_CHECKING:
    from marketsim.comparison.skill import SkillRow
    from marketsim.results.schema import (
        BarsFacts,
        ExposureCounts,
        FailedSymbol,
        PlanRow,
        StrategyRow,
        SymbolDocument,
    )
    from marketsim.results.timing import TimingDocument

EXPLAINED = {
    "summary": "Answer: whether to trade the better strategy. Smallest edge: what so many bars show in 4 of 5 cases. "
    "Bars for 10 bps: how many an edge of 10 bps a bar would need. Rows of all symbols together allow for symbols that "
    "rise and fall together. The reality check says how easily luck explains the best of all.",
    "profit": "Smallest edge: what these bars show in 4 of 5 cases. Bars for 10 bps: how many an edge of 10 bps a bar "
    "would need. An interval that contains zero cannot be told from luck.",
    "total": "Worst: no take-profit in doubt was filled. Best: all were. The headline weighs each by its probability.",
    "trades": "Stood aside: bars on which the fit did not show enough. Fill: share of orders filled. Ambiguous bars do "
    "not tell whether the take-profit came after the entry.",
    "risk": "With the 95 % interval of each ratio; - where too few trades have none. Drawdown: the largest fall of the "
    "summed profits.",
    "plan": "What is not closed at the take-profit is closed at the end of the session. t: how sure the fit is of its "
    "own profit, in standard errors.",
}


def symbol(symbol: SymbolDocument | FailedSymbol, full: bool = True, explained: bool = False) -> None:
    """A symbol's answer and one table, or all that are in full; a line where it failed."""
    from marketsim.results.schema import FailedSymbol

    if isinstance(symbol, FailedSymbol):
        output.lines(f"{symbol.symbol} failed: {symbol.error}", "")
        return
    output.mark(look_ahead=symbol.model.look_ahead is not None)
    answer.answer(symbol)
    if full:
        _header(symbol)
    _profit(symbol)
    if symbol.fine is not None and not full:
        output.lines(f"Fine  {fine(symbol.fine)}.", "")
    explain("profit", explained)
    if full:
        for name, table in (("total", _total), ("trades", _trades), ("risk", _risk), ("plan", _plan)):
            table(symbol)
            explain(name, explained)
    answer.reasons(symbol, brief=not full)


def explain(table: str, wanted: bool) -> None:
    """A line under a table, where it is wanted."""
    if wanted:
        output.lines(EXPLAINED[table], "")


def _header(symbol: SymbolDocument) -> None:
    bars, model, optimizer, evaluated = symbol.bars, symbol.model, symbol.optimizer, symbol.evaluated
    repaired = f", {number_of(model.repaired, 'forecast')} repaired" if model.repaired else ""
    exposed = "".join(
        f", {number_of(count, 'bar')} {tag}"
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
        f"Walk   {number_of(evaluated.bars, 'bar')} from {evaluated.first} to {evaluated.last}",
        f"Model  {model.name} {model.version}, {model.training}{exposed}{repaired}"
        f"{f', {output.LOOK_AHEAD}' if model.look_ahead else ''}",
        f"Fit    {optimizer.name}{fallbacks}{gate}",
        *([f"Fine   {fine(symbol.fine)}"] if symbol.fine else []),
        f"Fills  {symbol.fill}; {'long only (crypto)' if bars.crypto else 'long and short'}",
        f"Costs  {costs.fee_bps:g} bps a side, slippage {costs.slippage_bps:g} bps on closes",
        "",
    )


def _profit(symbol: SymbolDocument) -> None:
    headers = (
        "Strategy",
        "In-\nsample",
        "Out-of-\nsample",
        "95 % interval",
        "Smallest\nedge",
        "Bars for\n10 bps",
    )
    rows = [
        (
            row.name,
            signed(row.in_sample_bps),
            *mean(row),
        )
        for row in _with_orders(symbol)
    ]
    walk = symbol.evaluated
    output.table(
        f"Profit in bps a bar, {number_of(walk.bars, 'bar')} to {walk.last}, {symbol.fill} fills", headers, rows
    )


def _total(symbol: SymbolDocument) -> None:
    rows = [
        (row.name, signed(100 * row.headline), span(100 * row.provable, 100 * row.touch))
        for row in _with_orders(symbol)
    ]
    headers = ("Strategy", "Out-of-\nsample %", "Worst .. best\ncase %")
    output.table("Sum over all bars, and its range", headers, rows)


def _with_orders(symbol: SymbolDocument) -> list[StrategyRow]:
    """The rows of tables; of the others a line says why they placed no order."""
    return [row for row in symbol.rows if row.orders]


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
        for row in _with_orders(symbol)
    ]
    output.table("Trades", headers, rows)


def _risk(symbol: SymbolDocument) -> None:
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
    output.table(f"Risk, annualized over {periods} bars a year", headers, rows)


def _plan(symbol: SymbolDocument) -> None:
    from marketsim.results.orders import NoOrder, orders_of

    rows: list[tuple[str, ...]] = []
    tick = symbol.bars.tick
    for plan in symbol.plan:
        t, found = number(plan.t), orders_of(plan, symbol)
        if isinstance(found, NoOrder):
            rows.append((plan.strategy, "stands aside" if plan.stood_aside else "no order", "-", "-", "-", t))
            continue
        for order in found:
            target = "-" if order.take_profit is None else price_in_steps(order.take_profit, tick)
            rows.append((plan.strategy, order.side, price_in_steps(order.entry, tick), target, order.exit, t))
    headers = ("Strategy", "Side", "Limit\nentry", "Take-\nprofit", "Exit", "t")
    output.table(_plan_title(symbol.plan[0], tick), headers, rows, words=2)


def _plan_title(plan: PlanRow, tick: float) -> str:
    """What a plan is called; it is none once its bar is over."""
    after = f"after {plan.after} (close {price_in_steps(plan.close, tick)})"
    return f"No plan: {plan.bar} is over, {after}" if plan.stale else f"Plan for {plan.bar}, {after}"


def timing_line(document: TimingDocument) -> None:
    """How long the run took, on a line."""
    forecasts, fits = document.forecasts, number_of(document.fits, "fit")
    symbols = "" if document.symbols == 1 else f" for {document.symbols:,} symbols"
    made = f"{number_of(forecasts.made, 'forecast')} made, {forecasts.reused:,} reused"
    output.lines(f"Timing: {document.wall_seconds:.2f} s{symbols}, {made}, {fits}.")


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


def exposed(counts: ExposureCounts) -> str:
    """How many bars are clean, contaminated and unknown, of what there are."""
    tags = {"clean": counts.clean, "contaminated": counts.contaminated, "unknown": counts.unknown}
    return ", ".join(f"{count} {tag}" for tag, count in tags.items() if count)


def skill(row: SkillRow) -> str:
    """How much of a baseline's loss is saved, and what to think of it."""
    if row.verdict == "same":
        return "same"
    return f"{round(100 * row.skill, 1) or 0.0:+.1f} %\n{row.verdict}"  # no -0.0


def price(value: float) -> str:
    """A price in as many digits as it needs."""
    return f"{value:,.2f}" if value >= 100 else f"{value:.6g}"
