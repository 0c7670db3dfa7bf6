import numpy as np
import pytest

from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, MEDIAN, OPEN
from marketsim.models.last_bar import LastBar
from marketsim.models.rolling_quantile import RollingQuantile, rolling_quantiles
from tests.candles import random_ohlcv, series_of


@pytest.mark.parametrize("t", [1, 2, 100, 250, 251, 399])
def test_rolling_quantile_is_that_of_the_last_250_moves(t: int) -> None:
    ohlcv = random_ohlcv(400)
    start = max(t - 250, 0)
    moves = np.log(ohlcv[start + 1 : t + 1, :4] / ohlcv[start:t, 3:4])
    expected = np.expm1(np.quantile(moves, LEVELS, axis=0)).T
    np.testing.assert_allclose(RollingQuantile().forecast(series_of(ohlcv), np.array([t]))[0], expected, rtol=1e-9)


def test_rolling_quantiles_by_hand() -> None:
    values = np.array([[5.0, 1.0, 3.0, 100.0]])
    quantiles = rolling_quantiles(values, np.array([1, 3, 2]), window=2)
    np.testing.assert_allclose(quantiles[:, 0, MEDIAN], [5.0, 2.0, 3.0])
    np.testing.assert_allclose(quantiles[1, 0, [0, -1]], [1.2, 2.8])


def test_last_bar_repeats_the_last_bar() -> None:
    ohlcv = random_ohlcv(400)
    forecast = LastBar().forecast(series_of(ohlcv), np.array([2, 300]))
    for row, t in zip(forecast[..., MEDIAN], (2, 300), strict=True):
        assert row[OPEN] == row[CLOSE] == 0
        assert row[HIGH] == pytest.approx(ohlcv[t, 1] / ohlcv[t - 1, 3] - 1)
        assert row[LOW] == pytest.approx(ohlcv[t, 2] / ohlcv[t - 1, 3] - 1)


def test_last_bar_spreads_as_its_own_errors_did() -> None:
    ohlcv, t = random_ohlcv(400), 300
    high = np.log(ohlcv[1:, 1] / ohlcv[:-1, 3])  # of bar 1, 2, ...
    errors = np.diff(high)[t - 1 - 250 : t - 1]
    spread = np.quantile(errors, LEVELS) - np.median(errors)
    expected = np.expm1(high[t - 1] + spread)
    np.testing.assert_allclose(LastBar().forecast(series_of(ohlcv), np.array([t]))[0, HIGH], expected, rtol=1e-9)
