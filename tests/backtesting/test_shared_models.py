"""A worker with several threads: they share the model of their run, and enter a user's code one after the other."""

from __future__ import annotations

import gc
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from marketsim.backtesting import shared_models
from marketsim.backtesting.worker import Job, JobDone, current_process, work
from marketsim.errors import Success
from marketsim.settings.settings import Settings

COUNTING = """
import threading
import time

import numpy as np

made, inside, together = [], [], []


class Counting:
    trained_until = None

    def __init__(self):
        made.append(self)

    def forecast(self, series, origins):
        inside.append(threading.get_ident())
        together.append(len(inside))
        time.sleep(0.01)
        print("what a model says")
        moves = series.ohlcv[origins, :4] / series.ohlcv[origins, 3, None] - 1
        inside.pop()
        return moves[..., None] + np.linspace(-0.01, 0.01, 9)
"""
THREADS = 4


@pytest.fixture
def counting(tmp_path: Path) -> str:
    (tmp_path / "counting.py").write_text(COUNTING)
    return f"{tmp_path / 'counting.py'}:Counting"


def test_threads_share_the_model_of_their_run_and_use_it_one_after_the_other(
    counting: str, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = Settings.of(model=counting, sims=2, window=5, cache="off")
    stdout, started = sys.stdout, threading.Barrier(THREADS)

    def one(symbol: str) -> JobDone:
        started.wait(30)
        try:
            return work(Job("a run", settings, (symbol,), rows=False, basis=False, code=None, fingerprints=None))
        finally:
            started.wait(60)  # a thread that is done early must not let go of what the others share
            current_process.close()

    with ThreadPoolExecutor(THREADS) as threads:
        done = list(threads.map(one, ["ETHUSD", "BTCUSD", "NVDA", "ETHUSD"]))
    assert all(isinstance(each.symbols[0].outcome, Success) for each in done)
    code = next(
        module for module in sys.modules.values() if getattr(module, "__file__", None) == counting.partition(":")[0]
    )
    assert len(code.made) == 1
    assert len(code.together) >= THREADS and set(code.together) == {1}
    assert sys.stdout is stdout and "what a model says" not in capsys.readouterr().out
    gc.collect()
    assert "a run" not in shared_models._open


def test_runs_have_models_of_their_own(counting: str) -> None:
    first, second = Settings.of(model="har"), Settings.of(model="last-bar")
    one = shared_models.shared_model("1", first)
    assert shared_models.shared_model("1", first) is one
    assert shared_models.shared_model("2", second).model.name == "last-bar"
