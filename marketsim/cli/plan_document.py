"""The document of `marketsim plan --format json`."""

from __future__ import annotations

from msgspec import UNSET, UnsetType

from marketsim.cli.journal_documents import SealingReport
from marketsim.results.evidence_schema import PooledRow, Tried
from marketsim.results.orders import NoOrder, Order
from marketsim.results.rows import Row, Setting


class PlanDocument(Row, frozen=True, tag_field="schema", tag="marketsim.plan/1"):
    """`marketsim plan --json`."""

    marketsim: str
    settings: dict[str, Setting]
    capital: float | None
    risk: str
    max_per_symbol: float  # share of the capital
    orders: list[Order]
    no_orders: list[NoOrder]
    pooled: list[PooledRow]
    reality_check: Tried | None
    sealed: SealingReport | UnsetType = UNSET  # what --seal put into the journal; absent without it
