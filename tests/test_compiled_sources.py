"""Compiled sources are no part of the digest of the package's code, which their version numbers stand for."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from marketsim.execution import fill_probability, lattices
from marketsim.optimizers.exact import compiled

PACKAGE = Path(fill_probability.__file__).parents[1]


@pytest.mark.parametrize(
    ("pattern", "version", "known"),
    [
        ("execution/c/fill_probability.c", fill_probability.VERSION, (1, "fafda7c9abdac8c2")),
        ("execution/c/lattices.c", lattices.VERSION, (1, "aebd85709dc436b4")),
        ("optimizers/exact/c/*.[ch]", compiled.VERSION, (3, "2272e3c88599e17d")),
    ],
)
def test_a_version_belongs_to_its_sources(pattern: str, version: int, known: tuple[int, str]) -> None:
    sources = sorted(PACKAGE.glob(pattern))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    assert (version, digest) == known, "other sources need another VERSION, in C and in Python, and both are known here"
