"""Tests that are run in compiled code, and on arrays as where there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from marketsim.execution.compiled import VARIABLE
from marketsim.optimizers.exact.compiled import compiled_code


@pytest.fixture(params=["compiled", "arrays"], autouse=True)
def code(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv(VARIABLE, "1" if request.param == "compiled" else "0")
    if request.param == "compiled" and compiled_code() is None:
        assert "CI" not in os.environ, "the compiled code is not there"
        pytest.skip("nothing is compiled here")
    yield request.param
    monkeypatch.undo()
