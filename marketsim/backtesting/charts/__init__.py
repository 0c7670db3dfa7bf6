"""The data of a report's pictures, from the arrays of a result. Imported only for a report."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import json
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim.backtesting.calibration import calibration, trades_of
from marketsim.backtesting.charts.fill_counts import fill_counts
from marketsim.backtesting.charts.forecast_quality import forecast_quality
from marketsim.backtesting.charts.objective import Surfaces
from marketsim.backtesting.simulation import Market
from marketsim.forecasting.cache import ForecastCache
from marketsim.forecasting.forecasts import CLOSE, HIGH, LOW
from marketsim.results.calibration_schema import CalibratedSymbol
from marketsim.results.charts import Charts
from marketsim.results.html.packing import pack
from marketsim.results.result import Result
from marketsim.settings.settings import Settings

WHOLE, COARSE_WHOLE = 32_000, 2_000  # the largest move that is forecast of a symbol, as a whole number
FEW = 20  # symbols, more of which have coarser surfaces, so that a page of hundreds can be sent
FINE, COARSE = 33, 13  # places along a multiplier


def places_for(symbols: int) -> int:
    """How many places along a multiplier a surface has in a report of so many symbols."""
    return FINE if symbols <= FEW else COARSE


def charts_of(result: Result, settings: Settings, cache: ForecastCache | None, places: int) -> str:
    """The pictures of a symbol as text: the `Charts` in JSON."""
    bars, walk, rules = result.bars, result.walk, result.rules
    market = Market.of(bars, walk, result.forecasts, settings.costs)
    surfaces = Surfaces.of(market, rules, places)
    every, whole = (1, WHOLE) if places == FINE else (2, COARSE_WHOLE)
    arrays = _quantiles(result, every, whole)
    objective = []
    for i, (fitted, surface) in enumerate(surfaces.strategies(result.strategies)):
        objective.append(fitted)
        arrays[f"surface {i}"] = surface
    charts = Charts(
        forecast=forecast_quality(result, cache),
        fills=[fill_counts(track, market, rules) for track in result.strategies],
        reliability=_reliability(result),
        objective=objective,
        bounds=rules.bounds,
        window=walk.windows.shape[1],
        arrays=pack({"step": surfaces.step, "places": places, "whole": whole}, arrays),
    )
    return json.encode(charts).decode()


def _quantiles(result: Result, every: int, whole: int) -> dict[str, NDArray[Any]]:
    """What is forecast of the evaluated bars and of the next, oldest first: `closes` `[S + 1]` before them, and moves.

    `quantiles` `[S + 1, 3, Q]` of high, low and close are numbers of which `whole` are the `most`, the largest move; of
    the levels each, or `every` second.
    """
    positions = np.append(result.walk.evaluated[::-1], len(result.walk.origins) - 1)
    moves = result.forecasts.moves[positions][:, [HIGH, LOW, CLOSE], ::every]
    most = max(float(np.abs(moves).max()), 1e-6)
    return {
        "closes": result.bars.close[result.walk.origins[positions]].astype(np.float32),
        "most": np.array([most], np.float32),
        "quantiles": np.rint(moves * (whole / most)).astype(np.int16),
    }


def _reliability(result: Result) -> CalibratedSymbol | None:
    """Predicted probability and observed share of take-profits in doubt that finer bars settle."""
    if result.fine is None or not result.fine.covered:
        return None
    origins = result.walk.origins[:-1]
    known = replace(result.forecasts, origins=origins, moves=result.forecasts.moves[:-1])
    return calibration(result.bars, trades_of(result.bars, origins, known))
