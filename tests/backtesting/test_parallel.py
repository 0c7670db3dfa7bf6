"""Many symbols: in order, each once, whoever dies; what was kept is not done again."""

from __future__ import annotations

import contextlib
import contextvars
import multiprocessing
import os
import shutil
import signal
from collections.abc import Callable, Collection
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path
from typing import Any, ClassVar

import pytest
from msgspec.structs import replace

from marketsim import registry
from marketsim.backtesting import parallel, pipeline
from marketsim.backtesting.executors import worker_name
from marketsim.backtesting.executors.local import Local
from marketsim.backtesting.worker import Job, JobDone, current_process, work
from marketsim.errors import Failure, MarketsimError, Success, UsageError, value_of
from marketsim.profiling import Clock
from marketsim.results.document import backtest_document
from marketsim.results.result import FinishedSymbol, Result
from marketsim.results.run_directory import FILES, RunDirectory
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.results.timing import timing_document
from marketsim.settings.settings import Settings
from tests.many_symbols import cheap, write_universe

BAD = "S005"
FITS = 2 * 4  # of a symbol: two closing policies, three simulations and the plan


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("universe") / "bars"
    write_universe(directory, 12)
    return directory


def names(data: Path) -> list[str]:
    return sorted(path.stem for path in data.iterdir())


def run(symbols: list[str], settings: Settings, directory: RunDirectory | None = None) -> list[FinishedSymbol]:
    return list(parallel.stream(symbols, settings, Clock(), directory))


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


def documents(runs: list[FinishedSymbol]) -> list[SymbolDocument | FailedSymbol]:
    return [each.document for each in runs]


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
    assert documents(runs) == backtest_document(pipeline.run(symbols, settings, Clock()), settings).symbols
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


def test_a_symbol_that_fails_as_none_should_is_a_row_too(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = pipeline.evaluate_walk

    def fail(ready: pipeline.Prepared, *others: Any) -> Result:
        if ready.bars.symbol == BAD:
            raise ZeroDivisionError("oh")
        return honest(ready, *others)

    monkeypatch.setattr(pipeline, "evaluate_walk", fail)
    runs = run(names(data), cheap(data))
    (failed,) = (each.outcome for each in runs if isinstance(each.outcome, Failure))
    assert str(failed.error) == f"{BAD}: unexpected ZeroDivisionError: oh (--debug shows where)"
    assert isinstance(failed.error.__cause__, ZeroDivisionError)


def test_what_is_wrong_with_the_run_ends_it(data: Path, tmp_path: Path) -> None:
    pytest.importorskip("fracast", reason="the extra 'fracast' is not installed")
    for executor in ("local", "processes"):
        settings = cheap(data, model="fracast", weights=str(tmp_path), executor=executor)
        with pytest.raises(UsageError, match="no safetensors file"):
            run(names(data)[:2], settings)


def test_another_version_of_a_worker_is_told(data: Path) -> None:
    with pytest.raises(MarketsimError, match=r"not 0\.0: install the same"):
        work(Job("run", cheap(data), ("S000",), rows=False, code=None, fingerprints=None, version="0.0"))


class Elsewhere(Local):
    """Workers elsewhere, each with its own way to do a job; the first that may do it is asked, or they take turns."""

    separate = remote = True
    workers: ClassVar[dict[str, Callable[[Job], JobDone]]] = {}
    asked: ClassVar[list[str]] = []
    in_turn = False

    def submit(self, fn: Callable[..., Any], /, *arguments: Any, **others: Any) -> Future[Any]:
        future = self.submit_to_others((), fn, *arguments)
        assert future is not None
        return future

    def submit_to_others(self, workers: Collection[str], fn: Callable[..., Any], /, *arguments: Any) -> Any:
        names = [name for name in self.workers if name not in workers]
        if not names:
            return None
        name = names[len(self.asked) % len(names) if self.in_turn else 0]
        self.asked.append(name)
        current_process.close()  # each has its own
        context = contextvars.copy_context()
        context.run(worker_name.set, name)
        return super().submit(context.run, self.workers[name], *arguments)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[Job], JobDone]]:
    """The workers by name."""
    monkeypatch.setitem(registry.EXECUTORS, "local", "tests.backtesting.test_parallel:Elsewhere")
    monkeypatch.setattr(Elsewhere, "workers", {})
    monkeypatch.setattr(Elsewhere, "asked", [])
    return Elsewhere.workers


def with_data(directory: Path) -> Callable[[Job], JobDone]:
    return lambda job: work(replace(job, settings=job.settings.replace(data=str(directory))))


def with_other_code(job: Job) -> JobDone:
    return work(replace(job, code="0" * 64))


@pytest.fixture
def other_data(data: Path, tmp_path: Path) -> Path:
    """The same bars, but for one price of a symbol, and without the file of another."""
    other = tmp_path / "bars"
    shutil.copytree(data, other)
    path = other / "S002.csv"
    lines = path.read_text().splitlines()
    date, *prices, volume = lines[20].split(",")
    lines[20] = ",".join((date, *(str(1.1 * float(price)) for price in prices), volume))
    path.write_text("\n".join(lines) + "\n")
    (other / "S003.csv").unlink()
    return other


def test_what_a_worker_has_other_bars_of_goes_elsewhere(
    data: Path, other_data: Path, elsewhere: dict[str, Callable[[Job], JobDone]], tmp_path: Path
) -> None:
    elsewhere |= {"odd": with_data(other_data), "even": with_data(data)}
    runs = run(names(data)[:6], cheap(data))
    assert {"odd", "even"} <= set(Elsewhere.asked)
    notes = {each.symbol: note for each in runs for note in each.notes if "others" in note}
    assert notes == {symbol: f"{symbol}: its bars on odd are others: done elsewhere" for symbol in ("S002", "S003")}
    found = documents(runs)
    elsewhere.clear()
    elsewhere["even"] = with_data(data)
    assert documents(run(names(data)[:6], cheap(data))) == found


def test_what_every_worker_has_other_bars_of_fails_and_the_rest_goes_on(
    data: Path, other_data: Path, elsewhere: dict[str, Callable[[Job], JobDone]]
) -> None:
    elsewhere |= {"odd": with_data(other_data), "odder": with_data(other_data)}
    runs = run(names(data)[:6], cheap(data))
    failures = {each.symbol: str(each.outcome.error) for each in runs if isinstance(each.outcome, Failure)}
    assert failures.keys() == {"S002", "S003"}, failures
    assert all(f"{symbol}: its bars on odd" in why and "no worker has them" in why for symbol, why in failures.items())


def test_what_is_not_there_is_not_sent(data: Path, elsewhere: dict[str, Callable[[Job], JobDone]]) -> None:
    elsewhere["even"] = with_data(data)
    (failed,) = run(["NOPE"], cheap(data))
    assert isinstance(failed.outcome, Failure) and "no bars of NOPE" in str(failed.outcome.error)
    assert not Elsewhere.asked


def test_a_worker_with_other_code_is_not_used(data: Path, elsewhere: dict[str, Callable[[Job], JobDone]]) -> None:
    elsewhere |= {"old": with_other_code, "even": work}
    runs = run(names(data), cheap(data))
    assert all(isinstance(each.outcome, Success) for each in runs)
    assert Elsewhere.asked.count("old") <= 3  # as many jobs as there is room for
    elsewhere.pop("even")
    with pytest.raises(MarketsimError, match=r"sources of marketsim .* on old are others.*no worker is left"):
        run(names(data), cheap(data))


def test_a_worker_whose_weights_are_others_is_not_used(
    data: Path, elsewhere: dict[str, Callable[[Job], JobDone]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Elsewhere, "in_turn", True)

    def other_weights(job: Job) -> JobDone:
        done = work(job)
        symbols = [
            replace(each, outcome=Success(replace(value_of(each.outcome), model="other")))
            for each in done.symbols
            if isinstance(each, FinishedSymbol)
        ]
        return replace(done, symbols=symbols)

    elsewhere |= {"even": work, "odd": other_weights}
    runs = run(names(data), cheap(data))
    models = {value_of(each.outcome).model for each in runs}
    assert len(models) == 1 and "other" not in models


def test_paths_mean_the_same_in_another_working_directory(
    data: Path, elsewhere: dict[str, Callable[[Job], JobDone]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def from_root(job: Job) -> JobDone:
        with contextlib.chdir("/"):
            return work(job)

    elsewhere["even"] = from_root
    monkeypatch.chdir(data.parent)
    runs = run(["S000", "MINE=bars/S001.csv"], cheap(Path("bars"), cache="readwrite", cache_dir="forecasts"))
    found = [value_of(each.outcome).document for each in runs]
    assert [(each.symbol, each.bars.source) for each in found] == [("S000", "bars/S000.csv"), ("MINE", "bars/S001.csv")]
    assert (data.parent / "forecasts").is_dir()


def test_a_real_worker_is_killed_and_the_run_goes_on(data: Path) -> None:
    expected = documents(run(names(data), cheap(data)))
    stream = parallel.stream(names(data), cheap(data, workers=2), Clock())
    runs = [next(stream)]
    os.kill(multiprocessing.active_children()[0].pid or 0, signal.SIGKILL)
    runs += stream
    assert documents(runs) == expected
    assert not multiprocessing.active_children()


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
    assert [note[:37] for note in resumed.notes] == ["S001: what was kept of it is damaged ("[:37]]
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
    assert resumed.notes == ["S001: its bars or the model changed, it is run again"]
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
