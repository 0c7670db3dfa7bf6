"""The document of `score-forecasts`, field by field."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from marketsim.comparison.schema import FailedModel
from marketsim.comparison.skill import SkillRow
from marketsim.results.rows import Count, Row, Setting, Sha256, Share, Stamp
from marketsim.results.schema import ExposureCounts, FailedSymbol

Loss = Annotated[float, Meta(description="basis points of the origin's close")]


class PriceScore(Row, frozen=True):
    """How well one price of the next bar was forecast."""

    pinball_bps: Loss
    crps_bps: Loss
    coverage: Share  # of the bars inside the 80 % band
    coverage_low: Share  # ends of its 95 % interval
    coverage_high: Share
    pit: list[Share]  # of the bars below, between and above the quantiles
    calibration_bps: Loss  # pinball_bps is calibration less resolution plus uncertainty
    resolution_bps: Loss
    uncertainty_bps: Loss
    skills: list[SkillRow]


class ScoredModel(Row, frozen=True, tag_field="status", tag="ok"):
    """A model's forecasts of a symbol."""

    model: str
    picked: str  # by `auto`; else the model itself
    fingerprint: Sha256
    training: str
    look_ahead: str | None  # how it was caught looking ahead, where that was allowed
    implausible: str | None  # why its forecasts are implausible
    exposure: ExposureCounts
    made: Count
    reused: Count
    open: PriceScore
    high: PriceScore
    low: PriceScore
    close: PriceScore
    together: list[SkillRow]  # of high, low and close, each loss in units of the baseline's mean


class ScoredBars(Row, frozen=True):
    """The bars that forecasts were scored on, the same for every model."""

    source: str
    fingerprint: Sha256
    count: Count
    first: Stamp
    last: Stamp


class ScoredSymbol(Row, frozen=True, tag_field="status", tag="ok"):
    """A symbol's models side by side."""

    symbol: str
    bars: ScoredBars
    models: list[ScoredModel | FailedModel]


class ScoresDocument(Row, frozen=True, tag_field="schema", tag="marketsim.score-forecasts/1"):
    """`marketsim score-forecasts --json`."""

    marketsim: str  # version
    settings: dict[str, Setting]
    libraries: dict[str, str]
    levels: list[Share]  # of the quantiles
    baselines: list[str]
    symbols: list[ScoredSymbol | FailedSymbol]
