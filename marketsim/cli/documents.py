"""Documents of the commands about settings, words, models, bars and caches; imported when one is printed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from marketsim.results.rows import Count, Row, Setting, Sha256

if TYPE_CHECKING:
    from marketsim.forecasting.audit_records import AuditRecord


class ShownSetting(Row, frozen=True, rename={"source": "from"}):
    """A setting, and which option, variable or file it comes from."""

    value: Setting
    source: str


class ConfigDocument(Row, frozen=True, tag_field="schema", tag="marketsim.config/1"):
    """`marketsim config --json`."""

    settings: dict[str, ShownSetting]


class ExplainedTerm(Row, frozen=True):
    """A term of the glossary."""

    term: str
    also: list[str]
    text: str


class ExplainDocument(Row, frozen=True, tag_field="schema", tag="marketsim.explain/1"):
    """`marketsim explain --json`."""

    entries: list[ExplainedTerm]


class ListedModelRow(Row, frozen=True):
    """A model that can be named."""

    name: str
    variants: list[str]  # the first is the default
    extra: str | None  # that installs its package
    trained_until: str | None  # date, "unknown", or None where there are no weights
    training: str
    installed: bool
    licenses: dict[str, str]  # of the weights of variants, where they differ
    not_offered: dict[str, str]  # what its library has besides, and why it is no variant


class ModelsListDocument(Row, frozen=True, tag_field="schema", tag="marketsim.models.list/3"):
    """`marketsim models list --json`."""

    models: list[ListedModelRow]


class NewModelDocument(Row, frozen=True, tag_field="schema", tag="marketsim.models.new/1"):
    """`marketsim models new --json`."""

    file: str
    model: str  # as --model takes it


class CachedModelRow(Row, frozen=True):
    """The forecasts of a model in the cache; name and version are None where they are not known any more."""

    name: str | None
    version: str | None
    fingerprint: str
    forecasts: Count


class MovedFileRow(Row, frozen=True):
    """A damaged cache file that was moved aside."""

    name: str
    bytes: Count


class AuditRecordRow(Row, frozen=True):
    """What is known of a model from outside, or of a file of forecasts, by its audit."""

    model: str
    fingerprint: Sha256
    symbol: str | None  # that it was audited on; None of a file, in which nothing can be changed
    caught: str | None  # how it was caught, in words
    doubts: dict[str, str | None]  # of each symbol that was looked at, why its forecasts are implausible

    @classmethod
    def of(cls, record: AuditRecord) -> AuditRecordRow:
        """The row of a record."""
        return cls(
            model=record.model,
            fingerprint=record.fingerprint,
            symbol=record.symbol,
            caught=None if record.evidence is None else str(record.evidence),
            doubts=record.doubts,
        )


class CacheDocument(Row, frozen=True, tag_field="schema", tag="marketsim.cache/2"):
    """`marketsim cache info --json`."""

    path: str
    bytes: Count
    forecasts: Count
    oldest: str | None  # date
    newest: str | None
    models: list[CachedModelRow]
    symbols: dict[str, Count]  # forecasts
    moved_aside: list[MovedFileRow]
    audits: list[AuditRecordRow]


class DeletedDocument(Row, frozen=True, tag_field="schema", tag="marketsim.cache.deleted/2"):
    """`marketsim cache clear --json`, `marketsim cache prune --json`."""

    path: str
    deleted: Count  # forecasts
    audits: Count  # records of audits


class CheckedDigests(Row, frozen=True):
    """Forecasts whose digests were checked."""

    rows: Count
    damaged: Count


class VerifiedSymbol(Row, frozen=True):
    """Forecasts that were made again."""

    symbol: str
    cached: Count
    checked: Count
    different: Count


class VerifyDocument(Row, frozen=True, tag_field="schema", tag="marketsim.cache.verify/1"):
    """`marketsim cache verify --json`."""

    model: str
    seed: int  # of the sample
    digests: CheckedDigests
    symbols: list[VerifiedSymbol]


class BarsRow(Row, frozen=True, tag_field="status", tag="ok"):
    """The bars of a symbol, and how they were understood."""

    symbol: str
    bars: Count
    first: str
    last: str
    crypto: bool
    gaps: Count
    dropped: Count
    source: str
    layout: str
    columns: list[str]
    unused: list[str]
    zone: str
    spacing: int | None  # seconds
    calendar: str
    fee_bps: float
    slippage_bps: float
    file: str | UnsetType = UNSET  # that was written


class UnreadableSymbol(Row, frozen=True, tag_field="status", tag="failed"):
    """Why a symbol cannot be read, or fetched."""

    symbol: str
    error: str


class DataDocument(Row, frozen=True, tag_field="schema", tag="marketsim.data/1"):
    """`marketsim data list --json`, `check` and `convert`."""

    symbols: list[BarsRow | UnreadableSymbol]


class FetchedBars(Row, frozen=True, tag_field="status", tag="ok"):
    """Bars of a symbol in the store, after they were fetched."""

    symbol: str
    source: str
    name: str  # the symbol, as the provider spells it
    timeframe: str
    adjusted: str  # how the provider adjusted them
    bars: Count
    new: Count
    first: str
    last: str
    gaps: Count
    file: str
    notes: list[str]


class FetchDocument(Row, frozen=True, tag_field="schema", tag="marketsim.data.fetch/1"):
    """`marketsim data fetch --json`."""

    symbols: list[FetchedBars | UnreadableSymbol]


class BarRow(Row, frozen=True):
    """A bar."""

    time: str
    open: float
    high: float
    low: float
    close: float
    volume: float | None


class DataShowDocument(Row, frozen=True, tag_field="schema", tag="marketsim.data.show/1"):
    """`marketsim data show --json`."""

    symbol: str
    bars: Count
    first: str
    last: str
    crypto: bool
    gaps: Count
    dropped: Count
    source: str
    fingerprint: Sha256
    newest: list[BarRow]
