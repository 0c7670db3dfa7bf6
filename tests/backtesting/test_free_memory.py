"""A walk that does not fit into memory is told of before it starts, with the number of simulations that would fit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from marketsim.backtesting import free_memory, pipeline
from marketsim.data.bars import Bars
from marketsim.errors import DataError
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.settings.groups import WalkSettings
from tests.candles import random_bars


def test_it_says_how_many_simulations_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 100 << 20)
    with pytest.raises(DataError, match=r"ETHUSD: 90,000 simulations on a window of 60 need about 0\.3 GiB") as told:
        free_memory.check_memory("ETHUSD", 90_000, 60)
    most = int(re.findall(r"lower --sims to (\d+)", str(told.value))[0])
    free_memory.check_memory("ETHUSD", most, 60)
    with pytest.raises(DataError):
        free_memory.check_memory("ETHUSD", most + 1, 60)
    monkeypatch.setattr(free_memory, "free_bytes", lambda: None)
    free_memory.check_memory("ETHUSD", 90_000, 60)


def test_a_walk_asks_before_it_is_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    bars: Bars = random_bars(500)
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 1 << 20)
    monkeypatch.setattr(pipeline, "MANY", 100)
    lengths = WalkSettings(sims=400, window=20, fast=False)
    with pytest.raises(DataError, match=r"lower --sims to \d+$"):
        pipeline.walk_over(bars, lengths, RollingQuantile())


@pytest.mark.skipif(sys.platform != "linux", reason="how much is free is read from files of Linux")
def test_the_limit_of_the_process_and_of_the_machine_count() -> None:
    free = free_memory.free_bytes()
    assert free is not None
    assert 0 < free < 1 << 50
    code = "from marketsim.backtesting.free_memory import free_bytes; print(free_bytes())"
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)); {code}"
    root = Path(free_memory.__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, check=True, cwd=root)
    assert 0 < int(done.stdout) < 1 << 30
