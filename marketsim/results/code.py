"""The digest of the code that computed a result."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

import numpy as np

from marketsim.results.sealed import digest


@cache
def code_digest() -> str:
    """The digest of the package's own sources, as they were when this process first asked."""
    package = Path(__file__).parents[1]
    sources = sorted(package.rglob("*.py"))
    return digest(
        b"".join(digest(path.read_bytes()).encode() + str(path.relative_to(package)).encode() for path in sources)
    )


def libraries() -> dict[str, str]:
    """The versions here of what computes every result."""
    return {"python": platform.python_version(), "numpy": np.__version__}
