"""An entry of the journal: a sealed plan, with everything that identifies its run.

Entries outlive the version that wrote them, so that they have rows of their own: a field that is added needs a default,
and one that is changed another number in the name of the schema.
"""

from __future__ import annotations

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

from marketsim.results.plan_basis import BarBlock
from marketsim.results.plugins import PluginFacts
from marketsim.results.rows import Bps, Count, Price, Row, Setting, Sha256, Share, Stamp
from marketsim.results.schema import InSampleT
from marketsim.results.sealed import Blake2b

Clock = Literal["system", "given"]


class SealedBars(Row, frozen=True):
    """The bars that were known."""

    source: str
    fingerprint: Sha256
    count: Count
    first: Stamp
    last: Stamp  # the origin
    origin: Stamp  # its open, UTC
    ended: Stamp  # when it was complete, UTC
    close: Price  # its close, from which moves are counted
    crypto: bool
    calendar: str
    zone: str
    tick: Price
    blocks: list[BarBlock]


class SealedModel(Row, frozen=True):
    """The model that made the forecast; its parameters tell its code, its weights or its file from others."""

    name: str
    version: str
    parameters: dict[str, bool | int | float | str | None]
    fingerprint: Sha256
    trained_until: str | None
    training: str
    look_ahead: str | None  # how it was caught looking ahead, where that was allowed
    implausible: str | None
    sealed: Count | UnsetType = UNSET  # evaluated bars that count as clean for they were sealed; absent where unasked


class Session(Row, frozen=True):
    """The bar that the plan is for."""

    bar: Stamp
    zone: str  # of that date or time
    opens: Stamp  # UTC, its stamp
    begins: Stamp  # when trade in it begins
    ends: Stamp  # when it is complete


class ForecastQuantiles(Row, frozen=True):
    """What was forecast of that bar: moves from the origin's close at the levels, fractions of it."""

    levels: list[Share]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]


class Promise(Row, frozen=True):
    """What the backtest of that evening says of a strategy, by the fill policy of the run."""

    bars: Count
    orders: Count
    trades: Count
    mean_bps: Bps
    low_bps: Bps | None  # ends of the 95 % interval of the mean
    high_bps: Bps | None
    spread_bps: Bps  # standard deviation of what a bar earned
    fill_rate: Share | None
    win_rate: Share | None


class SealedStrategy(Row, frozen=True):
    """A strategy's plan, at the levels that a backtest trades: those of simulation 0 of the next evening's walk."""

    strategy: str
    side: str  # long, short, long and short, or flat
    upper: Price
    lower: Price
    close_at_eod: bool
    high_multiplier: float
    low_multiplier: float
    t: InSampleT | None
    stood_aside: bool
    promise: Promise


class SealedOrder(Row, frozen=True):
    """An order as it was printed, at prices that the market takes."""

    strategy: str
    side: Literal["buy", "sell"]
    entry: Price
    take_profit: Price | None
    exit: str
    quantity: float | None


class Companion(Row, frozen=True):
    """A symbol of the same run, which the decision counts."""

    asked: str  # as it was asked for
    origin: Stamp


class SealedPlan(Row, frozen=True):
    """A symbol's plan, and what it rests on."""

    symbol: str
    session: Session
    decision: str  # TRADE, DON'T or CAN'T TELL
    verdict: str
    strategy: str | None  # that the decision is about
    strategies: list[SealedStrategy]
    orders: list[SealedOrder]
    no_order: str | None  # why there is none
    forecast: ForecastQuantiles
    bars: SealedBars
    model: SealedModel
    fee_bps: float  # basis points of the price, a side
    slippage_bps: float  # the same, on exits at the close
    fill: str
    window: Count
    min_t: float
    settings: dict[str, Setting]  # without `now`, which is the entry's clock
    together: list[Companion]  # the whole run, this symbol too
    marketsim: str  # version
    code: Blake2b  # of the package's own sources
    libraries: dict[str, str]
    plugins: dict[str, PluginFacts]
    fine: Sha256 | None  # fingerprint of the finer bars; None without any


class Entry(Row, frozen=True, tag_field="schema", tag="marketsim.sealed/1"):
    """A line of the journal; its hash is that of these bytes."""

    number: Count  # from 1
    previous: Sha256  # hash of the entry before
    sealed: Stamp  # UTC
    clock: Clock  # given: by MARKETSIM_NOW or --now, in place of the system's
    plan: SealedPlan


class Sealed(Struct, frozen=True):
    """An entry and its hash."""

    entry: Entry
    hash: str

    @property
    def plan(self) -> SealedPlan:
        """The plan that was sealed."""
        return self.entry.plan

    @property
    def in_time(self) -> bool:
        """Whether it was sealed before trade in its bar began; around the clock that is when the bar before it ends."""
        return self.entry.sealed <= self.plan.session.begins
