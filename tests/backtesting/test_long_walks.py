"""Memory stays flat: a long walk needs hardly more than a short one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from marketsim.profiling import peak_bytes

SIMULATIONS, MOST = 1000, 100 << 20  # bytes; about 30 MiB are needed, and 150 for the terms of all bars made at once
WALKS = """
import sys
from marketsim.backtesting import parallel
from marketsim.errors import value_of
from marketsim.profiling import Clock, peak_bytes
from marketsim.settings.settings import Settings

def peak(sims):
    chosen = Settings.of(data=sys.argv[1], sims=sims, cache="off", strategy="always-on")
    for done in parallel.stream(["NOISE"], chosen, Clock()):
        value_of(done.outcome)
    return peak_bytes()

short = peak(70)
print(peak(int(sys.argv[2])) - short)
"""


@pytest.mark.skipif(not peak_bytes(), reason="the system does not tell")
def test_a_thousand_simulations_need_little_more_than_seventy(tmp_path):
    """Of a share, with both legs, in a process of its own."""
    rng, count = np.random.default_rng(1), SIMULATIONS + 400
    path = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(count * 8))).reshape(count, 8)
    rows = zip(
        np.busday_offset("2010-01-04", np.arange(count)), path[:, 0], path.max(1), path.min(1), path[:, -1], strict=True
    )
    lines = [f"{day},{a:.6f},{b:.6f},{c:.6f},{d:.6f}" for day, a, b, c, d in rows]
    (tmp_path / "NOISE.csv").write_text("date,open,high,low,close\n" + "\n".join(lines) + "\n")
    child = [sys.executable, "-c", WALKS, str(tmp_path), str(SIMULATIONS)]
    done = subprocess.run(child, capture_output=True, text=True, check=True)
    assert int(done.stdout) < MOST
