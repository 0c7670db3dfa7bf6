"""A long run keeps the memory that it gives back; a short one is left alone."""

from __future__ import annotations

import subprocess
import sys

import pytest

from marketsim.backtesting import allocator, worker
from marketsim.settings.settings import Settings

FAULTS = """
import resource
import numpy as np
from marketsim.backtesting.allocator import keep_memory

if {keep}:
    keep_memory()
faults = []
for turn in range(2):
    for size in (1, 3, 9, 27):
        np.ones((size << 20) // 8)
    faults.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
print(faults[1] - faults[0])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="another C library")
def test_blocks_that_are_freed_are_used_again() -> None:
    pages = {}
    for keep in (False, True):
        code = FAULTS.format(keep=keep)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        pages[keep] = int(done.stdout)
    assert pages[True] < 100
    assert pages[True] < pages[False] / 10 or pages[False] < 100  # another allocator kept them anyway


@pytest.mark.parametrize(
    ("symbols", "sims", "kept"), [(("A",), 70, False), (("A", "B"), 70, True), (("A",), 5000, True)]
)
def test_it_is_asked_for_many_symbols_and_for_long_walks(
    symbols: tuple[str, ...], sims: int, kept: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(allocator, "keep_memory", lambda: asked.append(True))
    settings = Settings.of(sims=sims)
    other = worker.Job("run", settings, symbols, rows=False, basis=False, code="another", fingerprints=None)
    assert all(isinstance(done, worker.Refused) for done in worker.work(other).symbols)
    assert bool(asked) == kept
