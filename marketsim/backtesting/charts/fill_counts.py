"""How many fills of a strategy are certain, settled by finer bars, or weighted by probability."""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from marketsim.backtesting.simulation import Market
from marketsim.execution.track_record import FittedTrackRecord, book
from marketsim.results.charts import FillCounts
from marketsim.settings.groups import TradingRules


def fill_counts(track: FittedTrackRecord, market: Market, rules: TradingRules) -> FillCounts:
    """Evaluated bars with a trade: certain by the bar, settled by finer bars, and the others."""
    at, fit, evaluated = slice(-1), track.fit, market.walk.evaluated
    alone = book(
        track.name,
        market.levels.at(evaluated),
        replace(market.outcomes, inside=None).at(evaluated),
        fit.legs.at(at),
        market.costs,
        rules.fill,
        (fit.high_multiplier[at], fit.low_multiplier[at]),
        fit.close_at_eod[at],
    )
    traded, doubtful, left = track.trades > 0, alone.ambiguous, track.ambiguous
    return FillCounts(
        strategy=track.name,
        certain=int(np.count_nonzero(traded & ~doubtful & ~left)),
        settled=int(np.count_nonzero(traded & doubtful & ~left)),
        left=int(np.count_nonzero(traded & left)),
    )
