"""The plan: the orders of a strategy for the bar after the newest one."""

from __future__ import annotations

import numpy as np

from marketsim.data.calendars.timetable import session_opens
from marketsim.data.calendars.zones import with_offset
from marketsim.execution.track_record import Fit, FittedTrackRecord
from marketsim.results.result import Result
from marketsim.results.schema import PlanRow
from marketsim.settings.choices import BASIS_POINTS


def plan_row(track: FittedTrackRecord, result: Result) -> PlanRow:
    """A strategy's plan, as of the moment when the bars were read."""
    fit, bars = track.fit, result.bars
    opens = bars.next_opens(1)
    side, at_close = side_of(fit, -1), bool(fit.close_at_eod[-1])
    upper, lower = float(fit.upper[-1]), float(fit.lower[-1])
    entry, target = {"long": (lower, upper), "short": (upper, lower)}.get(side, (None, None))
    wide = float(result.forecasts.high[-1] - result.forecasts.low[-1])
    fees = 2 * result.costs.fee_bps / BASIS_POINTS
    ends = bars.timetable.ends(opens)
    session = str(bars.names(opens)[0])
    zone = "UTC" if "T" in session else bars.timetable.calendar.zone
    return PlanRow(
        strategy=track.name,
        after=str(bars.names(bars.time[-1:])[0]),
        bar=session,
        zone=zone,
        opens=str(opens[0]),
        ends=str(ends[0]),
        trade_opens=with_offset(session_opens(bars.timetable, opens), zone)[0],
        trade_ends=with_offset(ends, zone)[0],
        stale=bars.is_past(opens[0]),
        partial=not bars.is_past(bars.time[-1]),
        side=side,
        close=float(bars.close[-1]),
        entry=entry,
        take_profit=None if at_close else target,
        upper=upper,
        lower=lower,
        close_at_eod=at_close,
        high_multiplier=float(fit.high_multiplier[-1]),
        low_multiplier=float(fit.low_multiplier[-1]),
        t=finite(fit.t[-1]),
        stood_aside=bool(fit.stood_aside[-1]),
        no_order=None,
        forecast_range=wide,
        range_in_costs=wide / fees if fees else None,
    )


def side_of(fit: Fit, s: int) -> str:
    """The sides of the orders of simulation `s`: long, short, long and short, or flat."""
    legs = {"long": fit.legs.long, "short": fit.legs.short}
    return " and ".join(name for name, leg in legs.items() if leg is not None and leg[s]) or "flat"


def finite(value: np.float64) -> float | None:
    """None for what is not finite."""
    return float(value) if np.isfinite(value) else None
