"""Many symbols: in order, each once, whoever dies; what was kept is not done again."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any

import pytest

from marketsim import registry
from marketsim.backtesting import parallel, pipeline
from marketsim.backtesting.dispatcher import with_absolute_paths
from marketsim.backtesting.executors import processes
from marketsim.backtesting.executors.local import Local
from marketsim.backtesting.worker import finish
from marketsim.errors import Failure, Success, UsageError
from marketsim.profiling import Clock
from marketsim.results.result import Result
from marketsim.results.run_directory import FILES, RunDirectory
from marketsim.results.schema import FailedSymbol
from marketsim.results.timing import timing_document
from marketsim.settings.groups import WorkSettings
from marketsim.settings.settings import Settings
from tests.many_symbols import cheap, documents, names, run, write_universe

BAD = "S005"
FITS = 2 * 4  # of a symbol: two closing policies, three simulations and the plan


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("universe") / "bars"
    write_universe(directory, 12)
    return directory


def whole(directory: Path, symbols: list[str], settings: Settings, clock: Clock, resume: bool = False) -> RunDirectory:
    """The directory of a run that came to its end."""
    with RunDirectory(str(directory), settings, resume) as run_directory:
        for finished in parallel.stream(symbols, settings, clock, run_directory):
            run_directory.add(finished)
        run_directory.finish(timing_document(clock))
    return run_directory


def left_over(directory: Path, symbols: list[str], settings: Settings, after: int = 99) -> RunDirectory:
    """The directory of a run that ended before its files were whole, soon `after` so many symbols."""
    with RunDirectory(str(directory), settings) as run_directory:
        stream = parallel.stream(symbols, settings, Clock(), run_directory)
        for finished, _ in zip(stream, range(after), strict=False):
            run_directory.add(finished)
        stream.close()
    return run_directory


class Deadly(Local):
    """A pool whose worker dies of one symbol, as often as `lives` says."""

    lives = 0
    opened = 0

    def __init__(self, workers: int = 1, scheduler: str | None = None) -> None:
        super().__init__()
        self.room = 3
        Deadly.opened += 1
        self.dead = False

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **others: Any) -> Future[Any]:
        (job,) = arguments
        if self.dead:
            raise BrokenExecutor
        if BAD in job.symbols and Deadly.lives:
            Deadly.lives -= 1
            self.dead = True
            future: Future[Any] = Future()
            future.set_exception(BrokenExecutor())
            return future
        return super().submit(fn, *arguments)


@pytest.fixture
def deadly(monkeypatch: pytest.MonkeyPatch) -> type[Deadly]:
    monkeypatch.setitem(registry.EXECUTORS, "local", "tests.backtesting.test_parallel:Deadly")
    monkeypatch.setattr(Deadly, "lives", 0)
    monkeypatch.setattr(Deadly, "opened", 0)
    return Deadly


def test_the_outcomes_are_those_of_the_pipeline_in_the_order_given(data: Path) -> None:
    symbols, settings = names(data)[::-1], cheap(data)
    runs = run(symbols, settings)
    assert [each.symbol for each in runs] == symbols
    alone = [finish(each, "model", rows=False) for each in pipeline.run(symbols, settings, Clock())]
    assert documents(runs) == documents(alone)
    assert all(each.seconds > 0 for each in runs)


def test_a_worker_that_is_killed_costs_a_retry(data: Path, deadly: type[Deadly]) -> None:
    deadly.lives = 1
    runs = run(names(data), cheap(data))
    assert all(isinstance(each.outcome, Success) for each in runs) and deadly.opened == 2
    assert [each.symbol for each in runs] == names(data)


def test_a_symbol_that_kills_its_worker_twice_is_a_failed_row(data: Path, deadly: type[Deadly]) -> None:
    deadly.lives = 100
    runs = run(names(data), cheap(data))
    (failed,) = (each for each in runs if isinstance(each.outcome, Failure))
    assert failed.document == FailedSymbol(symbol=BAD, error=f"{BAD}: its worker was killed twice", exit_code=1)
    assert deadly.lives == 98 and [each.symbol for each in runs] == names(data)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ZeroDivisionError("oh"), "unexpected ZeroDivisionError: oh (--debug shows where)"),
        (
            MemoryError("1 GiB"),
            "memory ran out: lower --sims, leave out --report, --plots and --output, or use fewer --workers",
        ),
    ],
)
def test_a_symbol_that_fails_as_none_should_is_a_row_too(
    error: Exception, words: str, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = pipeline.evaluate_walk

    def fail(ready: pipeline.Prepared, *others: Any) -> Result:
        if ready.bars.symbol == BAD:
            raise error
        return honest(ready, *others)

    monkeypatch.setattr(pipeline, "evaluate_walk", fail)
    runs = run(names(data), cheap(data))
    (failed,) = (each.outcome for each in runs if isinstance(each.outcome, Failure))
    assert str(failed.error) == f"{BAD}: {words}"
    assert failed.error.__cause__ is error


def test_what_is_wrong_with_the_run_ends_it(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("kronos_finance", reason="the extra 'kronos' is not installed")
    for executor in ("local", "processes"):
        settings = cheap(data, model="kronos", weights=str(tmp_path / "nowhere"), executor=executor)
        with pytest.raises(UsageError, match="neither a folder nor a repository"):
            run(names(data)[:2], settings)


def test_a_real_worker_is_killed_and_the_run_goes_on(data: Path) -> None:
    expected = documents(run(names(data), cheap(data)))
    stream = parallel.stream(names(data), cheap(data, workers=2), Clock())
    runs = [next(stream)]
    os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
    runs += stream
    assert documents(runs) == expected
    assert not multiprocessing.active_children()


def test_a_worker_that_is_killed_while_the_pool_ends_does_not_keep_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "GRACE", 0.2)
    pool = processes.Processes(WorkSettings(), 2)
    assert sorted(pool.map(abs, [-1, -2])) == [1, 2]
    killed, kept = multiprocessing.active_children()
    os.kill(kept.pid or 0, signal.SIGSTOP)  # it waits as for a lock of the other's
    ending = threading.Thread(target=pool.shutdown)
    ending.start()
    os.kill(killed.pid or 0, signal.SIGKILL)
    ending.join(30)
    assert not ending.is_alive()
    assert not multiprocessing.active_children()


def test_workers_collect_garbage_as_seldom_as_their_parent() -> None:
    before = gc.get_threshold()
    gc.set_threshold(12_345, 6, 7)
    try:
        pool = processes.Processes(WorkSettings(), 1)
        assert pool.submit(gc.get_threshold).result(60) == gc.get_threshold()
        pool.shutdown()
    finally:
        gc.set_threshold(*before)


def test_a_stream_that_is_closed_ends_its_workers(data: Path) -> None:
    stream = parallel.stream(names(data), cheap(data, workers=2), Clock())
    next(stream)
    assert multiprocessing.active_children()
    stream.close()
    assert not multiprocessing.active_children()


def test_what_was_kept_is_not_run_again(data: Path, tmp_path: Path) -> None:
    settings, symbols, clock = cheap(data), names(data), Clock()
    unbroken = whole(tmp_path / "whole", symbols, settings, Clock())
    broken = left_over(tmp_path / "broken", symbols, settings, after=5)
    kept = broken.kept
    assert 5 <= kept < len(symbols) and broken.notes[0].startswith(f"{kept} finished symbols are kept")
    assert not (broken.path / "results.json").exists()
    (broken.path / ".unfinished" / "S001.part").write_text("")  # as a power cut may leave it
    resumed = whole(broken.path, symbols, settings, clock, resume=True)
    assert clock.counts["fits"] == (len(symbols) - kept + 1) * FITS
    assert [note.partition("(")[0] for note in resumed.notes] == ["S001: its saved result is damaged "]
    for name in FILES:
        assert (resumed.path / name).read_bytes() == (unbroken.path / name).read_bytes()
    assert sorted(path.name for path in resumed.path.iterdir()) == sorted([*FILES, "timing.json", "run.json"])


def test_bars_that_changed_are_run_again(tmp_path: Path) -> None:
    data, clock = tmp_path / "bars", Clock()
    symbols, settings = write_universe(data, 3), cheap(data)
    left_over(tmp_path / "out", symbols, settings)
    path = data / "S001.csv"
    path.write_text("\n".join(path.read_text().splitlines()[:-1]) + "\n")
    resumed = whole(tmp_path / "out", symbols, settings, clock, resume=True)
    assert clock.counts["fits"] == FITS
    assert resumed.notes == ["S001: its bars or the model changed; it is run again"]
    anew = whole(tmp_path / "anew", symbols, settings, Clock())
    assert [(resumed.path / name).read_bytes() for name in FILES] == [(anew.path / name).read_bytes() for name in FILES]


def test_how_a_run_is_spread_does_not_keep_it_from_going_on(data: Path, tmp_path: Path) -> None:
    settings = cheap(data)
    left_over(tmp_path, ["S000"], settings)
    with RunDirectory(str(tmp_path), settings.replace(workers=2), resume=True) as directory:
        assert directory.kept == 1


def test_a_symbol_that_failed_is_tried_again(tmp_path: Path) -> None:
    data = tmp_path / "bars"
    symbols = write_universe(data, 2)
    (data / "S001.csv").rename(tmp_path / "elsewhere")
    left_over(tmp_path / "out", symbols, cheap(data))
    (tmp_path / "elsewhere").rename(data / "S001.csv")
    clock = Clock()
    whole(tmp_path / "out", symbols, cheap(data), clock, resume=True)
    assert clock.counts["fits"] == FITS


def test_files_are_named_by_absolute_paths_in_ensembles_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text("")
    for model, absolute in (
        ("mine.py:M", f"{tmp_path}/mine.py:M"),
        ("blend:har,mine.py:M,kronos:mini", f"blend:har,{tmp_path}/mine.py:M,kronos:mini"),
        ("auto", "auto"),
        ("kronos:mini", "kronos:mini"),
        ("absent.py:M", "absent.py:M"),
    ):
        assert with_absolute_paths(Settings.of(model=model)).model == absolute
