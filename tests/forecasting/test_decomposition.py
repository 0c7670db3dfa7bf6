"""The parts of a loss add up to it, and each says what it should."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.forecasting.decomposition import decompose, isotonic_quantiles
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.scores import pinball

NORMAL = np.array([-1.2816, -0.8416, -0.5244, -0.2533, 0.0, 0.2533, 0.5244, 0.8416, 1.2816])


@given(
    pairs=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 4)), min_size=1, max_size=6),
    level=st.sampled_from(LEVELS),
)
@settings(max_examples=150, deadline=None)
def test_no_rising_function_of_the_forecasts_has_less_loss(pairs, level):
    forecasts, actual = np.array(pairs, float).T
    found = isotonic_quantiles(forecasts, actual, level)
    best = pinball(found[:, None], actual, [level]).mean()
    order = np.argsort(forecasts)
    assert (np.diff(found[order]) >= 0).all()
    kinds = np.unique(forecasts)
    assert all(len(np.unique(found[forecasts == kind])) == 1 for kind in kinds)
    for values in itertools.combinations_with_replacement(np.unique(actual), len(kinds)):
        rising = np.array(values)[np.searchsorted(kinds, forecasts)]
        assert best <= pinball(rising[:, None], actual, [level]).mean() + 1e-12


def parts(forecast, actual):
    found = decompose(forecast, actual, LEVELS)
    loss = pinball(forecast, actual, LEVELS).mean()
    assert found.calibration - found.resolution + found.uncertainty == pytest.approx(loss)
    assert min(found.calibration, found.resolution) >= -1e-12
    return found


def test_a_forecast_that_knows_the_spread_resolves_and_a_wrong_one_is_badly_calibrated():
    rng = np.random.default_rng(0)
    sigma = np.exp(rng.normal(0, 0.7, 1500))
    actual = sigma * rng.normal(size=1500)
    right = parts(sigma[:, None] * NORMAL, actual)
    wide = parts(3 * sigma[:, None] * NORMAL, actual)
    blind = parts(np.broadcast_to(NORMAL, (1500, 9)), actual)
    assert wide.calibration > 5 * right.calibration
    assert wide.resolution == pytest.approx(right.resolution)
    assert right.resolution > 0.02 > blind.resolution
    assert blind.uncertainty == right.uncertainty


def test_what_always_says_the_same_resolves_nothing():
    actual = np.random.default_rng(0).normal(size=200)
    assert parts(np.broadcast_to(NORMAL, (200, 9)), actual).resolution == pytest.approx(0)
