"""The draws of the bootstrap are numpy's, whatever the seed."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
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


@pytest.mark.parametrize(
    "blocks", [14, 17, 60]
)  # of fewer words than are drawn together, some more, and several times as many
def test_many_places_are_those_that_numpy_draws(blocks):
    shape = (2000, blocks)
    np.testing.assert_array_equal(places(42, 66, shape), np.random.default_rng(42).integers(0, 66, shape))


def test_drawing_takes_little_more_memory_than_the_places():
    tracemalloc.start()
    try:
        found = places(42, 5_000, (2000, 278))  # of 5,000 simulations
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 3.5 * found.nbytes
