"""Random bars whose volatility clusters, as arrays and as Bars."""

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars, make_bars
from marketsim.data.calendars.calendar import open_calendar
from marketsim.forecasting.series import Series


def random_ohlcv(bars: int, seed: int = 0) -> NDArray[np.float64]:
    """[bars, 5] candles of a random walk of eight steps a bar, with gaps and volume."""
    rng = np.random.default_rng(seed)
    volatility = 0.01 * np.exp(np.cumsum(rng.normal(0, 0.1, bars)) - 0.05 * np.arange(bars) / bars)
    steps = rng.normal(0, 1, (bars, 8)) * volatility.clip(1e-4, 0.1)[:, None]
    path = 100 * np.exp(np.cumsum(steps.ravel()).reshape(bars, 8))
    return np.stack([path[:, 0], path.max(1), path.min(1), path[:, -1], rng.lognormal(5, 1, bars)], 1)


def random_bars(bars: int, seed: int = 0) -> Bars:
    return make_bars("TEST", "random", session_times(bars), random_ohlcv(bars, seed))


def series_of(ohlcv: NDArray[np.float64], symbol: str = "TEST") -> Series:
    """What a history model is handed of such bars."""
    return Series(symbol, session_times(len(ohlcv)), ohlcv, "UTC")


def session_times(bars: int) -> NDArray[np.datetime64]:
    """[bars] stamps of New York's sessions from 2020-01-02 on."""
    days = open_calendar("XNYS").sessions(np.datetime64("2020-01-02"), np.datetime64("2020-01-02") + 2 * bars)
    return days[:bars].astype("datetime64[s]")
