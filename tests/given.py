"""Forecasts as somebody else would have them in a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from marketsim.data.bars import CHANNELS, Bars
from marketsim.errors import value_of
from marketsim.forecasting.files.forecast_files import forecasts_in_frame, read_forecasts
from marketsim.forecasting.forecaster import Forecaster
from marketsim.forecasting.forecasts import LEVELS, Forecasts
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.series import Series
from marketsim.models.forecast_file import ForecastFile
from marketsim.models.har import Har
from marketsim.profiling import Clock

COUNT = 60  # origins, the newest


def origins_of(bars: Bars, count: int = COUNT) -> NDArray[np.int64]:
    return np.arange(len(bars) - count, len(bars))


def har_moves(bars: Bars, origins: NDArray[np.int64]) -> NDArray[np.float64]:
    return Har().forecast(Series.of(bars), origins)


def tidy(bars: Bars, *, unit: str = "moves", levels: tuple[float, ...] = LEVELS, count: int = COUNT) -> pd.DataFrame:
    """A row an origin, with quantiles of har's."""
    origins = origins_of(bars, count)
    moves = har_moves(bars, origins)
    columns: dict[str, object] = {"symbol": bars.symbol, "origin": bars.names(bars.time[origins])}
    for i, channel in enumerate(CHANNELS):
        for level in levels:
            own = moves[:, i, LEVELS.index(level)]
            columns[f"{channel}_q{100 * level:.0f}"] = own if unit == "moves" else bars.close[origins] * (1 + own)
    return pd.DataFrame(columns)


def points(bars: Bars, *, count: int = COUNT) -> pd.DataFrame:
    """A row an origin, with point forecasts of prices: har's medians."""
    origins = origins_of(bars, count)
    prices = bars.close[origins, None] * (1 + har_moves(bars, origins)[:, :, 4])
    named = dict(zip(CHANNELS, prices.T, strict=True))
    return pd.DataFrame({"symbol": bars.symbol, "origin": bars.names(bars.time[origins])} | named)


def forecast(table: pd.DataFrame | Path | str, bars: Bars, count: int = 20, missing: str = "error") -> Forecasts:
    """The forecasts at the newest `count` origins, as a run would make them; raises the error that they come to."""
    given = forecasts_in_frame(table, bars.symbol) if isinstance(table, pd.DataFrame) else read_forecasts(str(table))
    request = ForecastRequest(bars, origins_of(bars, count))
    (outcome,) = Forecaster(ForecastFile(given, missing), None, Clock()).forecasts([request])
    return value_of(outcome)
