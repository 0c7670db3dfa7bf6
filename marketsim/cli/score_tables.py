"""The tables of `marketsim score`."""

from __future__ import annotations

from marketsim.cli import output, tables
from marketsim.journal import score_text
from marketsim.journal.score_document import ScoreDocument


def score_tables(document: ScoreDocument) -> None:
    """Promised and realized profit, then details, then remarks."""
    rows = [*document.pooled, *document.strategies]
    if not rows:
        output.lines(f"Nothing to score yet: {score_text.waiting(document) or 'no plan is sealed'}.")
        return
    for table in (score_text.means(rows), score_text.sums(rows), score_text.forecasts(document.forecasts)):
        tables.show(table)
    output.lines(*score_text.remarks(document))
    if document.gap is not None:
        output.lines("")
        tables.show(score_text.gap_means(document.gap))
        tables.show(score_text.gap_orders(document.gap))
        output.lines(score_text.gap_sentence(document.gap))
