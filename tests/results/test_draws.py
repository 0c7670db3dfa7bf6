"""The draws of the bootstrap are numpy's, whatever the seed."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from marketsim.results.draws import places

SEEDS = st.integers(0, 2**32 - 1) | st.integers(0, 2**200)
COUNTS = st.integers(1, 300) | st.integers(1, 2**33) | st.sampled_from([2**32 - 1, 2**32, 2**32 + 1, 3 * 2**30])


@given(SEEDS, COUNTS, st.tuples(st.integers(0, 40), st.integers(1, 9)))
def test_places_are_those_that_numpy_draws(seed, count, shape):
    wanted = np.random.default_rng(seed).integers(0, count, shape)
    found = places(seed, count, shape)
    assert found.dtype == wanted.dtype
    np.testing.assert_array_equal(found, wanted)


def test_many_places_are_those_that_numpy_draws():
    np.testing.assert_array_equal(places(42, 66, (2000, 14)), np.random.default_rng(42).integers(0, 66, (2000, 14)))
