"""How good the forecasts of a walk were, price by price."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS
from marketsim.errors import MarketsimError
from marketsim.forecasting.cache import ForecastCache
from marketsim.forecasting.ensembles import is_composite
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, actual_moves
from marketsim.forecasting.loss_difference import compare_losses
from marketsim.forecasting.scores import covered, pinball, places, share_interval
from marketsim.models import open_model
from marketsim.profiling import Clock
from marketsim.results.charts import ChannelQuality, ForecastQuality, Miss, Skill
from marketsim.results.result import Result
from marketsim.settings.choices import BASIS_POINTS
from marketsim.settings.groups import NetworkSettings

BASELINES = ("har", "rolling-quantile", "last-bar")
SHOWN = (HIGH, LOW, CLOSE)  # the open is not traded
MISSES = 5

Floats = NDArray[np.float64]


def forecast_quality(result: Result, cache: ForecastCache | None) -> ForecastQuality:
    """The quality of all forecasts of a walk, windows included."""
    origins = result.walk.origins[:-1]
    moves, actual = result.forecasts.moves[:-1], actual_moves(result.bars, origins)
    losses, inside = pinball(moves, actual, LEVELS), covered(moves, actual).mean(0)
    shares, widths = places(moves, actual), (moves[..., -1] - moves[..., 0]).mean(0)
    others = _losses(result, cache, actual)
    names = result.bars.names(result.bars.time[origins + 1])

    def channel(c: int) -> ChannelQuality:
        low, high = share_interval(float(inside[c]), len(origins))
        return ChannelQuality(
            channel=CHANNELS[c],
            coverage=float(inside[c]),
            coverage_low=low,
            coverage_high=high,
            pit=shares[c].tolist(),
            loss_bps=BASIS_POINTS * float(losses[:, c].mean()),
            width_bps=BASIS_POINTS * float(widths[c]),
            skills=[_skill(name, losses[:, c], other[:, c]) for name, other in others.items()],
        )

    def miss(bar: int, c: int) -> Miss:
        close = result.bars.close[origins[bar]]
        return Miss(
            time=str(names[bar]),
            channel=CHANNELS[c],
            low=float(close * (1 + moves[bar, c, 0])),
            high=float(close * (1 + moves[bar, c, -1])),
            actual=float(result.bars.ohlcv[origins[bar] + 1, c]),
            loss_bps=BASIS_POINTS * float(losses[bar, c]),
        )

    shown = losses[:, SHOWN]
    worst = np.argsort(-shown.max(1), kind="stable")[:MISSES].tolist()
    return ForecastQuality(
        bars=len(origins),
        first=str(names[0]),
        last=str(names[-1]),
        channels=[channel(c) for c in SHOWN],
        misses=[miss(bar, SHOWN[int(shown[bar].argmax())]) for bar in worst],
    )


def _losses(result: Result, cache: ForecastCache | None, actual: Floats) -> dict[str, Floats]:
    """Losses `[N, 4]` of the baselines that can forecast all these bars, except the model itself."""
    found = {}
    for name in BASELINES:
        if name == result.forecasts.model.name:
            continue
        model = open_model(name, NetworkSettings(), result.seed)
        assert not is_composite(model)
        try:
            forecasts = make_forecasts(model, result.bars, result.walk.origins[:-1], cache, Clock())
        except MarketsimError:  # too few bars before the first
            continue
        found[name] = pinball(forecasts.moves, actual, LEVELS)
    return found


def _skill(against: str, losses: Floats, others: Floats) -> Skill:
    found = compare_losses(losses, others)
    return Skill(against=against, saved=found.skill, verdict=found.verdict)
