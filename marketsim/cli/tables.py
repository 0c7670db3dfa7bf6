"""The tables of a backtest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketsim.cli import answer, output
from marketsim.results import sentences
from marketsim.results.figures import mean as mean  # beside the other figures of tables
from marketsim.results.figures import percent as percent
from marketsim.results.figures import signed as signed
from marketsim.results.figures import span as span
from marketsim.results.figures import whole as whole
from marketsim.results.sentences import exposed as exposed
from marketsim.results.sentences import extent as extent
from marketsim.results.sentences import facts
from marketsim.results.sentences import fine as fine

if TYPE_CHECKING:
    from marketsim.results.schema import (
        FailedSymbol,
        SymbolDocument,
    )
    from marketsim.results.text_tables import TextTable
    from marketsim.results.timing import TimingDocument

EXPLAINED = {
    "summary": "Decision: whether to trade the better strategy. Smallest edge: what so many bars show in 4 of 5 cases. "
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
    from marketsim.results import text_tables
    from marketsim.results.schema import FailedSymbol

    if isinstance(symbol, FailedSymbol):
        output.lines(f"{symbol.symbol} failed: {symbol.error}", "")
        return
    output.mark(look_ahead=symbol.model.look_ahead is not None)
    answer.answer(symbol)
    if full:
        output.lines(
            f"{symbol.symbol}  {symbol.bars.source}", *(f"{word:<6} {text}" for word, text in facts(symbol)), ""
        )
    show(text_tables.profit(symbol))
    if symbol.fine is not None and not full:
        output.lines(f"Fine  {fine(symbol.fine)}.", "")
    explain("profit", explained)
    if full:
        for table in (text_tables.total, text_tables.trades, text_tables.risk, text_tables.plan):
            show(table(symbol))
            explain(table.__name__, explained)
    answer.reasons(symbol, brief=not full)


def show(table: TextTable) -> None:
    """A table on stdout."""
    output.table(table.title, table.headers, table.rows, table.words)


def explain(table: str, wanted: bool) -> None:
    """A line under a table, where it is wanted."""
    if wanted:
        output.lines(EXPLAINED[table], "")


def timing_line(document: TimingDocument) -> None:
    """How long the run took, on a line."""
    output.lines(sentences.timing(document))


def timing(document: TimingDocument) -> None:
    """Where the time of the run went, from the start of the process; of several symbols, what they cost together."""
    from marketsim.results import text_tables

    show(text_tables.timing(document))
    forecasts, rate, wall = document.forecasts, document.fits_per_second, document.wall_seconds
    made = f"{forecasts.made:,} forecasts made, {forecasts.reused:,} reused"
    fits = f"{document.fits:,} fits made" + (f" ({rate:,.0f} a second)" if rate else "")
    if document.symbols == 1:
        output.lines(made, fits, f"{wall:.2f} s from the start of the process")
        return
    count, work = document.symbols, document.symbol_seconds
    output.lines(fits, f"{count:,} symbols: {wall:.1f} s, {work:.1f} s of work, {work / wall:.2f}x; {made}")


def price(value: float) -> str:
    """A price in as many digits as it needs."""
    return f"{value:,.2f}" if value >= 100 else f"{value:.6g}"
