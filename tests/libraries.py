"""Libraries that take seconds to import: every process of a test run collects all tests, and runs some of them."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needed(*names: str, extra: str) -> None:
    """Skip the module of tests that calls this where a library is not installed; none is imported."""
    if any(find_spec(name) is None for name in names):
        pytest.skip(f"the extra '{extra}' is not installed", allow_module_level=True)
