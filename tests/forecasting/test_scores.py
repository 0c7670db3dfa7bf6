"""Quantile loss and coverage, against their definitions written out."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.forecasting.scores import covered, pinball

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
