"""Quantile loss and coverage, against their definitions written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.forecasting.forecasts import LEVELS as NINE
from marketsim.forecasting.scores import covered, crps, pinball, places, share_interval

LEVELS = (0.1, 0.5, 0.9)
numbers = st.floats(-2, 2)


def slow_pinball(quantiles, actual, levels):
    total = 0.0
    for quantile, level in zip(quantiles, levels, strict=True):
        total += level * (actual - quantile) if actual >= quantile else (1 - level) * (quantile - actual)
    return total / len(levels)


@given(st.lists(st.tuples(st.lists(numbers, min_size=3, max_size=3), numbers), min_size=1, max_size=5))
def test_the_loss_equals_its_definition(cases):
    quantiles, actual = np.array([case[0] for case in cases]), np.array([case[1] for case in cases])
    expected = [slow_pinball(*case, LEVELS) for case in cases]
    np.testing.assert_allclose(pinball(quantiles, actual, LEVELS), expected, atol=1e-12)


def test_the_loss_in_numbers():
    """A miss above the 90 % quantile costs nine times what one below it does."""
    assert pinball(np.array([0.0]), np.array(1.0), [0.9]) == pytest.approx(0.9)
    assert pinball(np.array([0.0]), np.array(-1.0), [0.9]) == pytest.approx(0.1)
    assert pinball(np.array([-1.0, 0.0, 1.0]), np.array(0.0), LEVELS) == pytest.approx((0.1 + 0 + 0.1) / 3)
    assert pinball(np.zeros((2, 4, 9)), np.zeros((2, 4)), np.arange(1, 10) / 10).shape == (2, 4)


def test_the_loss_is_least_at_the_quantiles_of_the_sample():
    sample = np.random.default_rng(0).normal(size=4001)
    best = np.quantile(sample, LEVELS)
    least = pinball(np.tile(best, (len(sample), 1)), sample, LEVELS).mean()
    for i in range(3):
        for step in (-0.05, 0.05):
            other = best.copy()
            other[i] += step
            assert pinball(np.tile(other, (len(sample), 1)), sample, LEVELS).mean() > least


def test_a_move_on_the_edge_of_the_band_is_covered():
    band = np.array([-0.01, 0.0, 0.02])
    for actual, inside in ((-0.01, True), (0.02, True), (0.0, True), (-0.0100001, False), (0.0200001, False)):
        assert bool(covered(band, np.array(actual))) is inside


def test_coverage_counts_the_outermost_quantiles_alone():
    quantiles = np.array([[[-1.0, 5.0, 1.0]], [[-1.0, 0.0, 1.0]]])
    np.testing.assert_array_equal(covered(quantiles, np.array([[0.5], [1.5]])), [[True], [False]])


@pytest.mark.parametrize("actual", [-3.0, -0.4, 0.05, 0.3, 5.0])
@pytest.mark.parametrize(
    "quantiles", [np.linspace(-0.5, 0.7, 9), np.sort(np.random.default_rng(0).normal(size=9)), np.full(9, 0.3)]
)
def test_crps_is_the_integral_that_it_says(quantiles, actual):
    level = np.array([0.0, *NINE, 1.0])
    ends = 2 * quantiles[[0, -1]] - quantiles[[1, -2]]
    a = (np.arange(200_000) + 0.5) / 200_000
    q = np.interp(a, level, np.array([ends[0], *quantiles, ends[1]]))
    expected = 2 * np.mean(((actual <= q) - a) * (q - actual))
    assert crps(quantiles, np.array(actual), NINE) == pytest.approx(expected, abs=1e-5)


def test_crps_of_one_value_is_its_distance_and_it_scales():
    rng = np.random.default_rng(0)
    quantiles, actual = np.sort(rng.normal(size=(5, 4, 9))), rng.normal(size=(5, 4))
    points = np.repeat(actual[..., None], 9, -1)
    np.testing.assert_allclose(crps(points, actual + 0.25, NINE), 0.25)
    np.testing.assert_allclose(crps(1e-4 * quantiles, 1e-4 * actual, NINE), 1e-4 * crps(quantiles, actual, NINE))


def test_places_are_even_where_the_quantiles_are_right_and_ties_are_shared():
    rng = np.random.default_rng(0)
    levels = np.broadcast_to(NINE, (20_000, 1, 9))
    np.testing.assert_allclose(places(levels, rng.random((20_000, 1))), 0.1, atol=0.01)
    low = places(levels, rng.random((20_000, 1)) / 10)
    np.testing.assert_allclose(low, [[1.0, *[0] * 9]])
    np.testing.assert_allclose(places(np.zeros((3, 2, 9)), np.zeros((3, 2))), 0.1)


def test_the_interval_of_a_share_holds_it_about_as_often_as_it_says():
    rng = np.random.default_rng(0)
    seen, times = np.unique(rng.binomial(70, 0.8, 2000) / 70, return_counts=True)
    held = np.average(
        [low <= 0.8 <= high for low, high in (share_interval(share, 70) for share in seen)], weights=times
    )
    assert 0.93 < held < 0.97
    assert share_interval(1.0, 20)[1] == 1.0
    assert 0.8 < share_interval(1.0, 20)[0] < 0.9
