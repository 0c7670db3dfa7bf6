"""The document of `marketsim score`: promised and realized profit."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from marketsim.results.promise import PromiseVerdict
from marketsim.results.rows import Bps, Count, Profit, Row, Share, Stamp
from marketsim.results.schema import ExposureCounts

Chance = Annotated[
    float, Meta(ge=0, le=1, description="that a record ever looks as bad where nothing changed, at most")
]


class Promised(Row, frozen=True):
    """What the backtest said on the evening when the record began."""

    bars: Count
    mean_bps: Bps
    low_bps: Bps | None  # ends of its 95 % interval; None where too little was traded
    high_bps: Bps | None
    fill_rate: Share | None
    win_rate: Share | None


class Realized(Row, frozen=True):
    """What was earned on the sealed bars."""

    bars: Count
    first: Stamp  # session
    last: Stamp
    missed: Count  # bars between them for which nothing was sealed
    mean_bps: Bps  # by the fill policy that was sealed
    low_bps: Bps | None  # ends of its 95 % interval, which holds after every bar at once; None for fewer than 20
    high_bps: Bps | None
    difference_bps: Bps  # realized less promised
    difference_low_bps: Bps | None  # ends of its 95 % interval, the errors of both in it
    difference_high_bps: Bps | None
    orders: Count
    trades: Count
    fill_rate: Share | None
    fill_low: Share | None  # ends of its 95 % interval
    fill_high: Share | None
    win_rate: Share | None
    provable: Profit  # the worst case, summed
    expected: Profit
    touch: Profit  # the best case, summed
    headline: Profit  # by the fill policy that was sealed


class ScoredStrategy(Row, frozen=True):
    """A strategy's record on a symbol, or on all of them."""

    symbol: str | None  # None: the mean over the symbols of each date
    strategy: str
    run: str  # what tells it from another run of the same strategy, in words; "" for the only one
    verdict: PromiseVerdict
    p: Chance
    bars_more: Count | None  # until a record that is too early tells; None where no number of bars could
    turned: Stamp | None  # session after which it was worse than promised
    worst_since: Stamp | None  # session from which on the record looked worst then
    promised: Promised
    realized: Realized


class ScoredForecasts(Row, frozen=True):
    """Forecasts since they were sealed."""

    symbol: str
    model: str
    bars: Count
    nominal: Share  # that should lie between the outermost quantiles
    coverage: Share  # that did, mean over open, high, low and close
    coverage_of: list[Share]  # open, high, low, close
    coverage_low: Share  # ends of its 95 % interval, as if the four prices were one
    coverage_high: Share
    loss_bps: Annotated[float, Meta(ge=0, description="mean quantile loss, basis points of the origin's close")]


class PlanOutcome(Row, frozen=True):
    """A sealed plan of a strategy, and what it came to."""

    entry: Count  # in the journal
    symbol: str
    session: Stamp
    strategy: str
    side: str
    upper: float
    lower: float
    orders: Count
    trades: Count
    provable: Profit
    expected: Profit
    touch: Profit
    headline: Profit


class UnscoredPlan(Row, frozen=True):
    """A sealed plan that is in no record."""

    entry: Count
    symbol: str
    session: Stamp
    why: str


class Sealing(Row, frozen=True):
    """How the scored plans were sealed."""

    plans: Count
    given_clock: Count  # by a time that was given, which shows nothing
    begun: Count  # after trade in their bar had begun: around the clock all are
    latest_minutes: Count  # after trade in its bar had begun, the latest of them
    revised: Count  # whose origin has another close today
    exposure: ExposureCounts  # of their bars: sealed before its end by the system's clock is clean


class GapOrder(Row, frozen=True):
    """An order as it was booked, and as the broker filled it. Differences are basis points of the origin's close."""

    symbol: str
    session: Stamp
    strategy: str
    side: str
    what: str  # filled, missed, not booked, or nothing
    booked_entry: float | None
    paid_entry: float | None
    quantity: float | None
    entry_bps: Bps  # what the entry cost more than booked, as a gain: negative is worse
    exit_bps: Bps
    fees_bps: Bps
    gap_bps: Bps  # what was earned less what was booked
    still_open: bool  # counted at the bar's close


class RealityGap(Row, frozen=True):
    """What a broker's fills say of the booked ones."""

    file: str
    layout: str
    fills: Count
    stray: Count  # fills of no sealed order
    orders: list[GapOrder]
    filled: Count  # booked and filled
    missed: Count  # booked, and not filled
    unbooked: Count  # filled, and not booked
    entry_bps: Bps  # means over the orders of these three
    exit_bps: Bps
    fees_bps: Bps
    missed_bps: Bps
    gap_bps: Bps
    low_bps: Bps | None  # ends of its 95 % interval, which holds after every order at once; None for fewer than 20
    high_bps: Bps | None
    fees: float  # paid, in the currency of the prices; of fills whose fee is known
    fees_unknown: Count  # fills whose fee is not known: the booked one is taken
    notes: list[str]  # what was left out of the file, and why


class ScoreDocument(Row, frozen=True, tag_field="schema", tag="marketsim.score/1"):
    """`marketsim score --json`."""

    marketsim: str  # version
    journal: str
    head: str | None  # NUMBER:HASH
    since: str | None
    sealing: Sealing
    strategies: list[ScoredStrategy]
    pooled: list[ScoredStrategy]
    forecasts: list[ScoredForecasts]
    plans: list[PlanOutcome]
    waiting: list[UnscoredPlan]  # their session is not over
    unscored: list[UnscoredPlan]
    gap: RealityGap | None  # None without a broker's file
