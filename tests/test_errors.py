"""Errors travel between processes as they are."""

from __future__ import annotations

import pickle

import pytest

from marketsim.errors import DataError, Failure, MarketsimError, MissingExtra, Success, UsageError, value_of


@pytest.mark.parametrize(
    "error", [MarketsimError("a"), UsageError("b"), DataError("c"), MissingExtra("--executor dask", "cluster")]
)
def test_an_error_comes_back_as_it_went(error: MarketsimError) -> None:
    back = pickle.loads(pickle.dumps(error))
    assert (type(back), str(back), back.exit_code) == (type(error), str(error), error.exit_code)
    assert "\n" not in str(back)


def test_the_value_of_a_success_is_given_and_the_error_of_a_failure_raised() -> None:
    assert value_of(Success(3)) == 3
    with pytest.raises(DataError, match="no bars"):
        value_of(Failure(DataError("no bars")))
