"""Errors travel between processes as they are."""

from __future__ import annotations

import pickle

import pytest

from marketsim.errors import DataError, MarketsimError, MissingExtra, UsageError


@pytest.mark.parametrize(
    "error", [MarketsimError("a"), UsageError("b"), DataError("c"), MissingExtra("--executor dask", "cluster")]
)
def test_an_error_comes_back_as_it_went(error: MarketsimError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.exit_code) == (type(error), str(error), error.exit_code)
    assert "\n" not in str(back)
