"""The first lines of a backtest: the decision, the reason and the order."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketsim.cli import output
from marketsim.results.sentences import notes_on_range, order_line, sentence

if TYPE_CHECKING:
    from marketsim.results.schema import SymbolDocument

BRIEF = 3  # reasons of a short screen


def answer(symbol: SymbolDocument) -> None:
    """A symbol's first three lines."""
    output.heading(f"{symbol.symbol}  {symbol.decision}")
    output.lines(sentence(symbol.verdict), order_line(symbol), "")


def reasons(symbol: SymbolDocument, brief: bool) -> None:
    """Further reasons and warnings, a line each."""
    said = [*symbol.reasons[: BRIEF if brief else None], notes_on_range(symbol.plan[0])]
    output.bullets(*(sentence(reason) for reason in said if reason))
    output.lines("")
