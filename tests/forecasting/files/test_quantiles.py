"""Quantiles at other levels than ours."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from marketsim.forecasting.files.quantiles import at_our_levels
from marketsim.forecasting.forecasts import LEVELS

levels = st.sets(st.sampled_from([round(0.01 * i, 2) for i in range(1, 100)]), min_size=2, max_size=12).map(sorted)


def interpolated(values, known, level):
    """One quantile, by the line through its two nearest neighbors on normal paper."""
    score = NormalDist().inv_cdf
    for value, other in zip(values, known, strict=True):
        if other == level:
            return value
    left = max([i for i, other in enumerate(known[:-1]) if other < level], default=0)
    a, b = score(known[left]), score(known[left + 1])
    return values[left] + (values[left + 1] - values[left]) * (score(level) - a) / (b - a)


@given(levels, st.data())
def test_quantiles_lie_on_lines_between_the_known_ones_and_rise(known, data):
    move = st.floats(-0.2, 0.2)
    values = sorted(data.draw(st.lists(move, min_size=len(known), max_size=len(known))))
    found = at_our_levels(np.array([[values]]), known)[0, 0]
    np.testing.assert_allclose(found, np.clip([interpolated(values, known, x) for x in LEVELS], -1, 10), atol=1e-15)
    assert (np.diff(found) >= -1e-15).all()


def test_a_normals_quantiles_are_found_from_any_two_of_them():
    normal = NormalDist(0.01, 0.03)
    ours = [normal.inv_cdf(level) for level in LEVELS]
    for known in ([0.05, 0.95], [0.5, 0.6], [0.25, 0.5, 0.75]):
        values = np.array([[[normal.inv_cdf(level) for level in known]]])
        np.testing.assert_allclose(at_our_levels(values, known)[0, 0], ours, atol=1e-15)


def test_each_row_has_its_own_gaps_and_one_quantile_is_none():
    values = np.array([[[-0.1, np.nan, 0.1]], [[-0.1, 0.0, 0.1]], [[np.nan, 0.05, np.nan]]])
    found = at_our_levels(values, [0.1, 0.5, 0.9])
    assert (found[:2, 0, [0, 4, 8]] == [-0.1, 0.0, 0.1]).all()
    assert np.isnan(found[2]).all()
