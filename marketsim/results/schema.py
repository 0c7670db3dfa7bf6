"""The documents of a backtest, field by field. A profit is a fraction of the stake unless a unit is named."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias, get_args

from msgspec import UNSET, Meta, UnsetType

from marketsim.errors import MarketsimError
from marketsim.forecasting.contamination import Exposure
from marketsim.results.evidence_schema import EvaluatedBars, Evidence, FastError, PooledRow, Tried
from marketsim.results.plugins import PluginFacts
from marketsim.results.rows import Bps, Count, Instant, Price, Profit, Row, Setting, Sha256, Share, Stamp
from marketsim.settings.choices import FILLS, HOLDING

InSampleT = Annotated[
    float,
    Meta(
        description="mean over standard error of the window's profits a bar; null: no take-profit would cover the costs"
    ),
]
Decision: TypeAlias = Literal["TRADE", "DON'T", "CAN'T TELL"]
TRADE, DONT, CANT_TELL = DECISIONS = get_args(Decision)


class StrategyRow(Row, frozen=True):
    """What a strategy or a baseline did on all evaluated bars."""

    name: str
    kind: Literal["strategy", "baseline"]
    in_sample_bps: Bps | None  # mean over the windows; None for baselines, which fit nothing
    provable: Profit  # by the least that the bars prove,
    expected: Profit  # by the chance of each take-profit,
    touch: Profit  # by the most that the bars allow
    headline: Profit  # by the fill policy of the run
    mean_bps: Bps  # this and what follows from it by `fill` of the evidence, which for a run by touch is expected
    low_bps: Bps | None  # ends of the 95 % interval of the mean; None where there are too few bars or no trades
    high_bps: Bps | None
    smallest_edge_bps: Bps | None  # that these bars show in 4 of 5 cases; None without an interval
    bars_for_10_bps: Count | None  # that an edge of 10 basis points a bar would need
    bars: Count
    orders: Count
    stood_aside: Count | None  # bars without the order, for t was too low or None; None for baselines
    trades: Count
    fill_rate: Share | None
    win_rate: Share | None
    ambiguous: Count  # bars that cannot tell whether the take-profit was filled
    probability: Share | None  # that it was, mean over those bars
    sharpe: float | None  # a year
    sharpe_low: float | None  # ends of its 95 % interval
    sharpe_high: float | None
    sortino: float | None  # a year
    sortino_low: float | None
    sortino_high: float | None
    max_drawdown: Annotated[float, Meta(ge=0, description="fraction of the stake")]


class SimulationRow(Row, frozen=True):
    """What a simulation of a strategy chose, and what its bar then did."""

    symbol: str
    strategy: str
    simulation: Count  # 0 is the newest
    origin: Stamp  # the last bar that was known
    evaluated: Stamp  # the bar that was traded
    open: Price
    high: Price
    low: Price
    close: Price
    side: str  # long, short, long and short, or flat
    high_multiplier: float  # offset added to the predicted move of the high
    low_multiplier: float
    close_at_eod: bool  # exit at the close, without a take-profit
    upper: Price
    lower: Price
    in_sample: Profit  # on the window, summed
    t: InSampleT | None
    stood_aside: bool  # the order was not placed, for t was too low, or None
    provable: Profit
    expected: Profit
    touch: Profit
    orders: Count
    trades: Count
    ambiguous: bool
    probability: Share | None  # of the take-profit, where the bar is ambiguous
    exposure: Exposure


Side = Literal["long", "short"]
Ending = Literal["take-profit", "close", "in doubt"]  # in doubt: entry and take-profit are in one finer bar


class FinerTrade(Row, frozen=True):
    """A trade followed by finer bars: in which of them it was entered, and ended."""

    side: Side
    entry: Stamp
    exit: Stamp
    how: Ending


class EquityRow(Row, frozen=True):
    """Profits summed up to a bar."""

    symbol: str
    name: str  # of the strategy or baseline
    time: Stamp
    provable: Profit
    expected: Profit
    touch: Profit


class PlanRow(Row, frozen=True):
    """A strategy's orders for the bar after the newest one."""

    strategy: str
    after: Stamp
    bar: Stamp  # that it is for
    zone: str  # of that date, the market's; of a time, UTC
    opens: Stamp  # UTC, as the bars are labeled
    ends: Stamp  # UTC
    trade_opens: Instant  # by the clocks of the zone: when its first order can be filled
    trade_ends: Instant
    stale: bool  # the bar was over when the bars were read
    partial: bool  # the newest bar was not complete then, and was kept
    side: str
    close: Price
    entry: Price | None  # None where there is no order, or one on either side: lower for a long, upper for a short
    take_profit: Price | None
    upper: Price
    lower: Price
    close_at_eod: bool
    high_multiplier: float
    low_multiplier: float
    t: InSampleT | None
    stood_aside: bool  # the order is not placed, for t is too low, or None
    no_order: str | None  # why there is none, whatever the reason; None where one is placed
    forecast_range: Annotated[float, Meta(description="forecast high less forecast low, fraction of the close")]
    range_in_costs: float | None  # in round trips of costs; None where there are none


class FineSeries(Row, frozen=True):
    """Shorter bars, and the number of the walk's bars that they cover."""

    timeframe: str
    source: str
    covered: Count


class FineFacts(Row, frozen=True):
    """The facts about finer bars of a walk, windows included."""

    series: list[FineSeries]
    bars: Count
    covered: Count
    disagreeing: Count  # whose finer bars make another bar: not used
    rescaled: Count  # whose prices are adjusted: the finer ones were rescaled
    apart_bps: Bps | None  # median of the largest difference of the four prices, before anything was rescaled
    ambiguous: Count  # longs and shorts at the levels forecast, whose take-profit the bar alone leaves in doubt
    settled: Count  # by finer bars
    left: Count  # in doubt still
    fingerprint: Sha256  # of the finer bars


class BarsFacts(Row, frozen=True):
    """The bars that a result rests on."""

    source: str
    fingerprint: Sha256
    count: Count
    first: Stamp
    last: Stamp
    crypto: bool
    calendar: str  # of its sessions
    zone: str  # of their days
    periods_per_year: Count
    gaps: Count
    dropped: Count
    tick: Price  # the smallest step of the prices


class ExposureCounts(Row, frozen=True):
    """How many bars the model cannot have seen, has seen, and may have seen."""

    clean: Count
    contaminated: Count
    unknown: Count


class ModelFacts(Row, frozen=True):
    """The model that made the forecasts."""

    name: str
    version: str
    parameters: dict[str, bool | int | float | str | None]
    fingerprint: Sha256
    trained_until: str | None
    training: str
    look_ahead: str | None  # how it was caught looking ahead, where that was allowed
    implausible: str | None  # why its forecasts are implausible
    exposure: ExposureCounts
    doubt: str | None  # why some are unknown, where it is not for want of its training data
    repaired: Count
    sealed: Count | UnsetType = UNSET  # evaluated bars whose forecast was sealed before they were over; absent unasked


class CostsRow(Row, frozen=True):
    """What was charged."""

    fee_bps: Annotated[float, Meta(description="basis points of the price, a side")]
    slippage_bps: Annotated[float, Meta(description="basis points of the price, on exits at the close")]


class OptimizerFacts(Row, frozen=True):
    """What fitted the multipliers."""

    name: str
    fits: Count
    fallbacks: Count  # fits that another optimizer had to finish


class SymbolDocument(Row, frozen=True, tag_field="status", tag="ok"):
    """The result of a symbol."""

    symbol: str
    bars: BarsFacts
    model: ModelFacts
    costs: CostsRow
    fill: str
    window: Count  # bars that each fit rests on
    min_t: Annotated[float, Meta(ge=0, description="in-sample t below which no order is placed")]
    optimizer: OptimizerFacts
    evaluated: EvaluatedBars
    rows: list[StrategyRow]
    plan: list[PlanRow]
    decision: Decision
    strategy: str | None  # the better one, which the decision is about; None where none traded
    verdict: str  # why, in a sentence
    reasons: list[str]  # what else a reader should know, the weightiest first
    evidence: Evidence
    fast: FastError | None  # None for a full walk
    fine: FineFacts | None  # None where no finer bars were asked for, or none are there
    libraries: dict[str, str]  # and their versions, where it was computed

    def contradiction(self) -> str | None:
        """Why its parts do not belong together, as no run writes them; None if they do."""
        strategies = [row.name for row in self.rows if row.kind == "strategy"]
        if not strategies or [plan.strategy for plan in self.plan] != strategies:
            return "its rows and its plan are not of the same strategies"
        if not {self.strategy, *(row.strategy for row in self.evidence.strategies)} <= {None, *strategies}:
            return "its evidence is not of its strategies"
        if self.fill not in FILLS:
            return f"no fill rule is called {self.fill!a}"
        return None if any(row.name == HOLDING for row in self.rows) else f"it has no row of {HOLDING}"


class FailedSymbol(Row, frozen=True, tag_field="status", tag="failed"):
    """Why a symbol has no result."""

    symbol: str
    error: str
    exit_code: Annotated[int, Meta(description="of the command, where all symbols fail so")]

    @classmethod
    def of(cls, symbol: str, error: MarketsimError) -> FailedSymbol:
        """A failed symbol with its error."""
        spelt = symbol.encode(errors="backslashreplace").decode()  # bytes of the command line that are no text
        return cls(symbol=spelt, error=str(error), exit_code=error.exit_code)


class BacktestDocument(Row, frozen=True, tag_field="schema", tag="marketsim.backtest/2"):
    """`marketsim backtest --json`, and results.json."""

    marketsim: str
    settings: dict[str, Setting]
    pooled: list[PooledRow]  # a strategy each; none of a single symbol
    reality_check: Tried | None  # None where nothing was traded often enough
    symbols: list[SymbolDocument | FailedSymbol]
    plugins: dict[str, PluginFacts] | UnsetType = UNSET  # optimizer and source from outside; absent without any
