"""The functions of `marketsim.reference` say what they take, return and raise, with an example."""

from __future__ import annotations

import inspect

import pytest

from marketsim import reference

FUNCTIONS = [name for name in reference.__all__ if inspect.isfunction(getattr(reference, name))]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_is_explained(name: str) -> None:
    function = getattr(reference, name)
    said = inspect.getdoc(function) or ""
    for section in ("Parameters", "Returns", "Raises", "Example"):
        assert f"\n{section}:\n" in said, section
    assert [parameter for parameter in inspect.signature(function).parameters if parameter not in said] == []
