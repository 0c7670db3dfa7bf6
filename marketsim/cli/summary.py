"""The summary of several symbols: decisions, the pooled result, and the reality check."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketsim.cli import output, tables
from marketsim.results.sentences import reality_check

if TYPE_CHECKING:
    from marketsim.results.evidence_schema import PooledRow, Tried


def summary(rows: Sequence[tuple[str, ...]], pooled: Sequence[PooledRow], check: Tried | None, explain: bool) -> None:
    """The rows of several symbols, those of all together, and the reality check."""
    from marketsim.results import text_tables

    tables.show(text_tables.summary(rows, pooled))
    if check is not None:
        output.lines(reality_check(check), "")
    tables.explain("summary", explain)
