from __future__ import annotations

import base64
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from marketsim.results.html.packing import TYPES, pack, unpack

ARRAYS = st.sampled_from(list(TYPES.values())).flatmap(
    lambda kind: arrays_of.arrays(kind, arrays_of.array_shapes(min_dims=1, max_dims=3, min_side=0, max_side=4))
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(max_size=5), ARRAYS, max_size=3), st.text())
def test_what_is_packed_is_unpacked(arrays, text):
    facts, found = unpack(pack({"text": text}, arrays))
    assert facts == {"text": text}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_arrays_begin_where_a_page_can_read_them():
    packed = zlib.decompress(base64.b64decode(pack({"a": "b"}, {"x": np.ones(3, np.uint8), "y": np.ones(2)})))
    assert packed[-16:] == np.ones(2).tobytes()
    assert len(packed) % 8 == 0


def test_a_page_has_no_numbers_that_are_none():
    with pytest.raises(ValueError, match="Out of range"):
        pack({"x": float("nan")}, {})
