"""Distinct values are those of numpy."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from marketsim.data.distinct import distinct


@given(st.lists(st.integers(-5, 5)), st.sampled_from(["int64", "float64", "datetime64[D]", "U"]))
def test_distinct_values_are_those_of_numpy(values, kind):
    array = np.array(values, np.int64).astype(kind)
    assert distinct(array).tolist() == np.unique(array).tolist()
    assert distinct(array).dtype == array.dtype
