"""The additional data of a report's pictures, for one symbol."""

from __future__ import annotations

from msgspec import Struct

from marketsim.forecasting.loss_difference import Verdict
from marketsim.results.calibration_schema import CalibratedSymbol


class Skill(Struct, frozen=True):
    """A loss beside a baseline's on the same bars."""

    against: str
    saved: float  # share of the baseline's loss
    verdict: Verdict


class ChannelQuality(Struct, frozen=True):
    """How good the forecasts of one price were."""

    channel: str
    coverage: float  # share of bars inside the 80 % band
    coverage_low: float  # ends of its 95 % interval
    coverage_high: float
    pit: list[float]  # shares of bars below, between and above the quantiles
    loss_bps: float  # mean quantile loss
    width_bps: float  # mean width of the 80 % band
    skills: list[Skill]


class Miss(Struct, frozen=True):
    """A forecast that was far off."""

    time: str
    channel: str
    low: float  # ends of the 80 % band, price units
    high: float
    actual: float
    loss_bps: float


class ForecastQuality(Struct, frozen=True):
    """How good the forecasts of a walk were, those of its windows included."""

    bars: int
    first: str
    last: str
    channels: list[ChannelQuality]
    misses: list[Miss]  # the worst first


class FillCounts(Struct, frozen=True):
    """The number of bars with a trade of a strategy, by how their fill is known."""

    strategy: str
    certain: int
    settled: int
    left: int  # by probability


class FittedWindow(Struct, frozen=True):
    """What one fit found; profits are basis points of the stake a bar of its window."""

    bar: str  # that it was fitted for
    h: float
    l: float
    close_at_eod: bool
    profit_bps: float  # in-sample, as it is booked
    t: float | None
    stood_aside: bool
    tick_away_bps: list[
        float
    ]  # the upper level a tick higher, a tick lower, the lower level a tick higher, a tick lower
    floor: float | None  # `h - l` from which on a take-profit pays the costs; None without a take-profit
    plateau: float | None  # share of the surface that earns nine tenths of the optimum; None where that is a loss


class StrategyObjective(Struct, frozen=True):
    """The fits of a strategy, oldest first, the plan's last; their surfaces are in the arrays."""

    strategy: str
    windows: list[FittedWindow]


class Charts(Struct, frozen=True):
    """The pictures of a symbol."""

    forecast: ForecastQuality
    fills: list[FillCounts]
    reliability: CalibratedSymbol | None  # None without finer bars
    objective: list[StrategyObjective]
    bounds: tuple[float, float]  # of both multipliers
    window: int  # bars of each fit
    arrays: str  # packed: a `surface` a strategy, and the quantiles
