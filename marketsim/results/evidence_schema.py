"""Rows of the evidence for one symbol, for several together, and for everything that was tried."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from marketsim.results.rows import Bps, Count, Row, Share, Stamp


class EvaluatedBars(Row, frozen=True):
    """The bars that were traded."""

    bars: Count
    first: Stamp
    last: Stamp


class TestedStrategy(Row, frozen=True):
    """A strategy on the bars that the decision rests on."""

    strategy: str
    trades: Count
    mean_bps: Bps
    low_bps: Bps | None  # ends of the 95 % interval; None where it traded on too few bars
    high_bps: Bps | None
    p: Share | None  # that the best of all that were tried looks as good by luck
    beyond_holding_bps: Bps  # its profit less that of holding, bar by bar
    beyond_holding_low_bps: Bps | None
    beyond_holding_high_bps: Bps | None


class Evidence(Row, frozen=True):
    """The evidence for a decision."""

    fill: str
    bars: Count  # that the model cannot have seen
    first: Stamp | None
    assumed_clean: bool  # the user vouches for bars of which that is not known
    holding_bps: Bps  # mean of buy-and-hold over these bars, or over all where there are none
    tried: Count  # series of the same command that traded, strategies of all its symbols
    strategies: list[TestedStrategy]


class FastError(Row, frozen=True):
    """By how much a fast walk errs, measured from its own bars."""

    simulations: Count  # of the full walk
    width: Annotated[float, Meta(ge=0, description="of the interval, over that of the full walk")]
    same_sign: Share  # how often both means have the same sign


class PooledRow(Row, frozen=True):
    """A strategy on all symbols of a run."""

    strategy: str
    symbols: Count
    bars: Count
    dates: Count
    mean_bps: Bps  # over all bars, by the fills that decisions rest on
    low_bps: Bps | None  # ends of the 95 % interval, by a bootstrap over dates
    high_bps: Bps | None
    smallest_edge_bps: Bps | None
    bars_for_10_bps: Count | None


class Tried(Row, frozen=True):
    """The best of everything that was tried, and how often luck alone makes the best of as many look as good."""

    tried: Count
    best: str
    p: Share
