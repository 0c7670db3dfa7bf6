"""A walk that does not fit into memory is told of before it starts, with the number of simulations that would fit."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from marketsim import registry
from marketsim.backtesting import dispatcher, free_memory, parallel, pipeline, worker
from marketsim.backtesting.executors.local import Local
from marketsim.data.bars import Bars
from marketsim.errors import DataError, Success
from marketsim.models.rolling_quantile import RollingQuantile
from marketsim.profiling import Clock
from marketsim.settings.groups import WalkSettings
from marketsim.settings.settings import Settings
from tests.candles import random_bars


class Separate(Local):
    """Workers that say they are processes of their own."""

    separate = True


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


@pytest.mark.parametrize(
    ("wanted", "measured"),
    [
        ((False, False, False), 0),
        ((True, False, False), 3_200),
        ((True, True, False), 12_200),
        ((True, True, True), 17_800),
    ],
)
def test_the_files_of_a_simulation_count_as_much_as_was_measured(
    wanted: tuple[bool, bool, bool], measured: int
) -> None:
    assert measured <= free_memory.file_bytes(*wanted) <= 1.2 * measured


def test_files_that_are_wanted_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 64 << 20)
    files = free_memory.file_bytes(rows=True, charts=True, drawn=False)
    free_memory.check_memory("ETHUSD", 17_000, 60)
    with pytest.raises(DataError, match=r"lower --sims to \d+ or leave out --report, --plots and --output$") as told:
        free_memory.check_memory("ETHUSD", 17_000, 60, files)
    free_memory.check_memory("ETHUSD", int(re.findall(r"--sims to (\d+)", str(told.value))[0]), 60, files)
    with pytest.raises(DataError, match=r"lower --sims to \d+$"):  # too many without files too
        free_memory.check_memory("ETHUSD", 18_000, 60, files)


@pytest.mark.parametrize(("workers", "symbols"), [(1, ["ETHUSD"]), (2, ["ETHUSD", "BTCUSD"])])
def test_a_run_counts_its_files_and_its_workers(
    workers: int, symbols: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """1.3 MB hold a walk of 300 simulations, and neither that and its files nor two such walks."""
    monkeypatch.setattr(pipeline, "MANY", 100)
    monkeypatch.setattr(dispatcher, "MANY", 100)
    monkeypatch.setattr(free_memory, "_shared_limits", lambda: iter([1_300_000]))
    monkeypatch.setattr(free_memory, "_own_limits", lambda: iter([]))
    monkeypatch.setitem(registry.EXECUTORS, "processes", "tests.backtesting.test_free_memory:Separate")
    settings = Settings.of(sims=300, window=20, cache="off", workers=workers)
    for places in (0, 13):
        runs = [done.outcome for done in parallel.stream(symbols, settings, Clock(), rows=places > 0, places=places)]
        fits = workers == 1 and not places
        assert all(isinstance(outcome, Success) == fits for outcome in runs), runs


def test_pictures_take_more_than_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "MANY", 100)
    monkeypatch.setattr(free_memory, "free_bytes", lambda: 7_000_000)
    settings = Settings.of(sims=300, window=20, cache="off")
    for drawn in (False, True):
        (done,) = parallel.stream(["ETHUSD"], settings, Clock(), rows=True, places=13, drawn=drawn)
        assert isinstance(done.outcome, Success) != drawn, done


@pytest.mark.parametrize(("simulations", "together"), [(100, 2), (101, 1)])
def test_long_walks_are_not_held_together(simulations: int, together: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dispatcher, "MANY", 100)
    jobs: list[int] = []

    def counted(job: worker.Job) -> worker.JobDone:
        jobs.append(len(job.symbols))
        return worker.work(job)

    monkeypatch.setattr(dispatcher, "work", counted)
    settings = Settings.of(sims=simulations, cache="off")
    done = list(parallel.stream([f"ABSENT{i}" for i in range(8)], settings, Clock()))
    assert len(done) == 8
    assert max(jobs) == together


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
