"""The documents of an audit, field by field."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from marketsim.results.rows import Bps, Count, Row, Setting, Sha256, Stamp
from marketsim.results.schema import BarsFacts, FailedSymbol

Correlation = Annotated[float, Meta(ge=-1.0000001, le=1.0000001)]


class DifferenceRow(Row, frozen=True):
    """The first value that changed and should not have."""

    channel: str  # such as "close", "cache key of har" or "entry-exit upper"
    stage: str  # of the chain: cache key, forecast, fit or trade
    origin: Stamp  # the last bar that was known
    bar: Stamp  # the one after it
    before: float | str
    after: float | str


class CheckRow(Row, frozen=True):
    """One thing that was changed, and what came of it."""

    check: str
    passed: bool
    forecasts: Count  # compared
    tolerance: Annotated[float, Meta(ge=0, description="moves, fractions of the close; 0: to the bit")]
    largest: Annotated[float, Meta(ge=0, description="by which a forecast moved, fraction of the close")]
    first: DifferenceRow | None  # None where it passed


class PlausibilityRow(Row, frozen=True):
    """What the forecasts look like beside those of har and beside the bars: figures, and no proof."""

    bars: Count  # forecast, and known
    loss: dict[str, float]  # by channel, pinball loss over that of har
    standard_errors: dict[str, float]  # by channel, by how many of them the loss is below har's
    last_move: Correlation  # rank correlation of the forecast move of the close with the last move,
    its_bar: Correlation  # with that of the bar that is forecast,
    bar_after: Correlation  # and with that of the bar after it
    doubts: list[str]  # what is implausible, in words


class RestingProfit(Row, frozen=True):
    """A strategy's out-of-sample profit, and the part of it that is due to later bars."""

    strategy: str
    as_run_bps: Bps
    alone_bps: Bps  # with every forecast made from the bars up to its origin alone


class AuditedModel(Row, frozen=True):
    """The model that was audited."""

    name: str
    version: str
    fingerprint: Sha256
    parameters: dict[str, bool | int | float | str | None]


class AuditedSymbol(Row, frozen=True, tag_field="status", tag="ok"):
    """The audit of a symbol."""

    symbol: str
    bars: BarsFacts
    origins: Count  # of the walk
    changed: Count  # origins after which the future was changed
    passed: bool
    checks: list[CheckRow]
    given: bool  # whether the forecasts are a file's, of which nothing shows when they were made
    plausibility: PlausibilityRow | None  # None where fewer than 30 bars are known
    profits: list[RestingProfit]


class AuditDocument(Row, frozen=True, tag_field="schema", tag="marketsim.audit/1"):
    """`marketsim audit --json`."""

    marketsim: str  # version
    settings: dict[str, Setting]
    libraries: dict[str, str]  # and their versions
    model: AuditedModel
    passed: bool
    symbols: list[AuditedSymbol | FailedSymbol]


class PlantedLeak(Row, frozen=True):
    """A leak that was planted, and its clean twin."""

    leak: str
    caught: bool
    caught_by: list[str]  # checks
    first: DifferenceRow | None
    twin_passed: bool


class SelftestDocument(Row, frozen=True, tag_field="schema", tag="marketsim.audit.selftest/1"):
    """`marketsim audit --selftest --json`."""

    marketsim: str  # version
    seed: int  # of the bars
    passed: bool
    leaks: list[PlantedLeak]
