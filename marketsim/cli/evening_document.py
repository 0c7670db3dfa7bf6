"""The document of `marketsim evening`."""

from __future__ import annotations

from marketsim.cli.journal_documents import SealingReport
from marketsim.journal.score_document import ScoreDocument
from marketsim.results.orders import NoOrder, Order
from marketsim.results.rows import Count, Row, Stamp
from marketsim.results.schema import Decision


class FetchedSymbol(Row, frozen=True):
    """Bars that were brought up to date."""

    symbol: str
    provider: str
    new: Count  # bars
    error: str | None  # why none came; the bars that were there are used


class CheckedSymbol(Row, frozen=True):
    """The bars that a plan rests on."""

    symbol: str
    bars: Count
    last: Stamp
    gaps: Count
    dropped: Count
    session: Stamp  # that the plan is for
    over: bool  # that session is, so that nothing can be sealed: bars are missing
    decision: Decision


class EveningDocument(Row, frozen=True, tag_field="schema", tag="marketsim.evening/1"):
    """`marketsim evening --json`."""

    marketsim: str  # version
    now: Stamp
    fetched: list[FetchedSymbol]
    bars: list[CheckedSymbol]
    orders: list[Order]
    no_orders: list[NoOrder]
    sealed: SealingReport
    score: ScoreDocument | None  # None where the journal has no plan of these symbols
    failed: list[str]  # why symbols have no plan
