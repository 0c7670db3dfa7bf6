"""The documents of both comparisons, field by field."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from marketsim.comparison.skill import SkillRow
from marketsim.errors import MarketsimError
from marketsim.results.evidence_schema import Tried
from marketsim.results.rows import Bps, Count, Profit, Row, Seconds, Setting, Sha256, Share, Stamp
from marketsim.results.schema import ExposureCounts

Policy = Literal["take-profit", "close"]
Status = Literal["done", "budget", "timeout", "failed", "not installed"]


class ProblemFacts(Row, frozen=True):
    """The problems that the optimizers had to fit."""

    name: str  # a symbol, or reference
    source: str
    fingerprint: Sha256 | None
    first: Stamp | None  # evaluated bar of the oldest window; None where no bar follows a window
    last: Stamp | None  # and of the newest
    model: str | None
    look_ahead: str | None  # how the model was caught looking ahead, where that was allowed
    strategy: str
    fill: str
    fee_bps: Annotated[float, Meta(description="basis points of the price")]
    fee_per: Literal["side", "trade"]
    slippage_bps: Annotated[float, Meta(description="basis points of the price, on exits at the close")]
    windows: Count
    bars: Count  # of a window
    policies: list[Policy]  # every window is fitted under each


class LimitsRow(Row, frozen=True):
    """What ended a search."""

    evaluations: Count | None
    seconds: Seconds | None
    tolerance: float  # difference of profits that is not worth a search


class OptimumRow(Row, frozen=True):
    """The proven optimum of all problems."""

    profit_bps: Bps  # mean over windows and policies
    seconds_together: Seconds  # solved in one call a policy


class OptimizerRow(Row, frozen=True):
    """An optimizer's result: means over its own windows, policies and seeds; None where it found nothing."""

    name: str
    status: Status  # the worst of its trials
    message: str  # why it failed
    windows: Count  # on which it ran
    trials: Count
    rank: Count | None = None  # by the gap; None where it ran on too few windows
    tie: bool = False  # whether others have the same rank
    found_bps: Bps | None = None  # in-sample
    optimum_bps: Bps | None = None  # the proven one of the same problems
    gap_bps: Bps | None = None  # what was missed of it
    least_gap_bps: Bps | None = None
    largest_gap_bps: Bps | None = None
    reached: Share | None = None  # of the trials
    out_of_sample_bps: Bps | None = None
    low_bps: Bps | None = None  # ends of its 95 % interval
    high_bps: Bps | None = None
    optimum_out_of_sample_bps: Bps | None = None  # with the optimum's multipliers, on the same bars
    seconds: Seconds | None = None  # all policies of a window, median of the windows
    ratio: float | None = None  # to differential evolution's on the same windows
    evaluations: float | None = None  # all policies of a window
    overhead_seconds: float | None = None  # an evaluation, outside the objective


class OptimizersDocument(Row, frozen=True, tag_field="schema", tag="marketsim.compare-optimizers/2"):
    """`marketsim compare-optimizers --json`; unlike other documents it holds times, which are what it is about."""

    marketsim: str
    settings: dict[str, Setting]
    libraries: dict[str, str]
    problem: ProblemFacts
    limits: LimitsRow
    optimum: OptimumRow
    optimizers: list[OptimizerRow]


class TrialRow(Row, frozen=True):
    """A run of an optimizer on a problem; profits are sums over the window, None where it found nothing."""

    optimizer: str
    window: Count
    close_at_eod: bool
    seed: int
    status: Status
    high_multiplier: float | None
    low_multiplier: float | None
    profit: Profit | None
    gap: float | None  # to the proven optimum
    evaluations: Count
    seconds: Seconds  # of which
    inside: Seconds  # in the objective


class HistoryRow(Row, frozen=True):
    """A new best of a trial."""

    optimizer: str
    window: Count
    close_at_eod: bool
    seed: int
    evaluations: Count  # up to and including it
    seconds: Seconds
    high_multiplier: float
    low_multiplier: float
    profit: Profit
    gap: float  # to the proven optimum


class Channels(Row, frozen=True):
    """A figure of each price of a bar."""

    open: float
    high: float
    low: float
    close: float


class BenchmarkRow(Row, frozen=True):
    """A benchmark on the evaluated bars: never fitted, the same for every model."""

    name: str
    mean_bps: Bps
    low_bps: Bps | None
    high_bps: Bps | None
    smallest_edge_bps: Bps | None
    bars_for_10_bps: Count | None


class AlphaRow(Row, frozen=True):
    """Profit beyond a benchmark's, bar by bar."""

    benchmark: str
    mean_bps: Bps
    low_bps: Bps | None
    high_bps: Bps | None
    smallest_edge_bps: Bps | None
    bars_for_10_bps: Count | None


class ModelStrategyRow(Row, frozen=True):
    """What a strategy earned with a model's forecasts."""

    strategy: str
    trades: Count
    mean_bps: Bps
    low_bps: Bps | None  # ends of the 95 % interval of the mean; None where there are too few bars or no trades
    high_bps: Bps | None
    smallest_edge_bps: Bps | None  # that these bars show in 4 of 5 cases; None without an interval
    bars_for_10_bps: Count | None  # that an edge of 10 basis points a bar would need
    alphas: list[AlphaRow]


class ModelRow(Row, frozen=True, tag_field="status", tag="ok"):
    """A model's forecasts, on every bar of the walk that one was made for, and its profit on the evaluated ones."""

    model: str
    picked: str  # by `auto`; else the model itself
    training: str
    look_ahead: str | None  # how it was caught looking ahead, where that was allowed
    exposure: ExposureCounts
    pinball_bps: Channels  # basis points of the origin's close
    crps_bps: Channels
    coverage: Channels  # share of the bars inside the 80 % band
    coverage_low: Channels  # ends of its 95 % interval
    coverage_high: Channels
    against_har: SkillRow | None  # on high, low and close together; None for `har` itself, and where it failed
    close_direction: Share | None  # of the closes, on the side that was forecast
    seconds_a_forecast: Seconds | None  # None where all came from the cache
    made: Count
    reused: Count
    strategies: list[ModelStrategyRow]


class FailedModel(Row, frozen=True, tag_field="status", tag="failed"):
    """Why a model has no figures."""

    model: str
    error: str
    exit_code: Annotated[int, Meta(description="of the command, where all fail so")]

    @classmethod
    def of(cls, model: str, error: MarketsimError) -> FailedModel:
        """A failed model with its error."""
        return cls(model=model, error=str(error), exit_code=error.exit_code)


class ComparedBars(Row, frozen=True):
    """The bars on which a symbol's models were compared."""

    source: str
    fingerprint: Sha256
    judged: Count  # bars that forecasts were judged on,
    first: Stamp  # from here
    last: Stamp  # to here;
    evaluated: Count  # the newest of them were traded


class ComparedSymbol(Row, frozen=True):
    """A symbol's models side by side."""

    symbol: str
    bars: ComparedBars | None  # None where every model failed
    benchmarks: list[BenchmarkRow]
    models: list[ModelRow | FailedModel]


class ModelsDocument(Row, frozen=True, tag_field="schema", tag="marketsim.compare-models/4"):
    """`marketsim compare-models --json`."""

    fill: str
    reality_check: Tried | None  # of all symbols, models and strategies; None where nothing was traded often enough
    symbols: list[ComparedSymbol]
