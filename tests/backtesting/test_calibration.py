"""The calibration of w, on noise whose order of events finer bars tell."""

from __future__ import annotations

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.backtesting.calibration import calibration, origins_of, trades_of
from marketsim.data.bars import Bars, make_bars
from marketsim.data.resample import resample
from marketsim.errors import DataError
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.models.har import Har
from marketsim.profiling import Clock
from marketsim.settings.choices import EXPECTED, PROVABLE, TOUCH

STEPS = 200  # of an hour


def noise(days: int, seed: int) -> Bars:
    """Hours of a driftless walk around the clock."""
    steps = 0.03 / np.sqrt(24 * STEPS) * np.random.default_rng(seed).standard_normal((24 * days, STEPS))
    path = 100 * np.exp(np.cumsum(steps.ravel()).reshape(24 * days, STEPS))
    open_ = np.append(100.0, path[:-1, -1])
    high, low = np.maximum(path.max(1), open_), np.minimum(path.min(1), open_)
    time = (np.arange(24 * days) * 3600 + 1_704_067_200).astype("datetime64[s]")
    return make_bars("BTCUSD", "noise", time, np.column_stack([open_, high, low, path[:, -1], np.ones(24 * days)]))


@pytest.fixture(scope="module")
def days() -> Bars:
    hours = noise(500, 3)
    return resample(hours, "1d").with_finer(hours)


def test_on_noise_probabilities_are_frequencies(days: Bars) -> None:
    """What w claims happens about as often, w tells more than a constant, and expected pays what the path pays."""
    origins = origins_of(days)
    trades = trades_of(days, origins, make_forecasts(Har(), days, origins, None, Clock()))
    found = calibration(days, trades)
    assert found.fine.covered == len(origins)
    assert found.known > 0.7 * found.ambiguous
    assert sum(tenth.cases for tenth in found.tenths) == found.known
    for tenth in found.tenths:
        if tenth.cases >= 100:
            assert tenth.predicted is not None
            assert tenth.observed is not None
            assert abs(tenth.predicted - tenth.observed) < 0.2
    assert found.brier is not None
    assert found.constant is not None
    assert found.gain_error is not None
    assert found.constant - found.brier > found.gain_error
    assert found.bias_bps is not None
    assert found.bias_error_bps is not None
    assert abs(found.bias_bps) < 1.5 * found.bias_error_bps
    assert found.most_bps is not None
    assert found.least_bps is not None
    assert found.most_bps <= found.bias_bps <= found.least_bps


def test_what_happened_is_what_the_finer_bars_pay(days: Bars) -> None:
    """Where the order is known, the path pays either the least or the most that the bar alone allows."""
    origins = origins_of(days)
    trades = trades_of(days, origins, make_forecasts(Har(), days, origins, None, Clock()))
    known = trades.known
    paid = np.where(trades.observed[known] == 1, trades.profits[TOUCH][known], trades.profits[PROVABLE][known])
    np.testing.assert_allclose(trades.path[EXPECTED][known], paid, atol=1e-12)
    assert set(np.unique(trades.observed[known])) == {0.0, 1.0}


def test_bars_without_finer_ones_cannot_be_checked(days: Bars) -> None:
    (hours,) = days.finer
    elsewhere = replace(hours, time=hours.time + np.timedelta64(9999, "D"))
    origins = origins_of(days)
    forecasts = make_forecasts(Har(), days, origins, None, Clock())
    with pytest.raises(DataError, match="no bar is covered by finer ones"):
        trades_of(days.with_finer(elsewhere), origins, forecasts)
