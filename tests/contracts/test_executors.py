"""Every executor: a `concurrent.futures.Executor`, and the same bytes whichever runs the symbols."""

from __future__ import annotations

import errno
import json
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, Future
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import marketsim
from marketsim.backtesting import parallel
from marketsim.backtesting.executors import open_executor
from marketsim.backtesting.executors.processes import Processes
from marketsim.cli.app import make_app
from marketsim.errors import MarketsimError, MissingExtra, UsageError
from marketsim.profiling import Clock
from marketsim.results.run_directory import FILES
from marketsim.settings.groups import WorkSettings
from tests.many_symbols import OPTIONS, cheap, write_universe

PATIENCE = 60
CLUSTER = pytest.mark.skipif(find_spec("distributed") is None, reason="the extra 'cluster' is not installed")
PACKAGE = Path(marketsim.__file__).parent


class Cluster:
    """A real scheduler and its workers, all of them processes of their own on loopback."""

    def __init__(self, directory: Path, workers: int = 2, **environment: str) -> None:
        self.directory, self.processes = directory, []  # type: ignore[var-annotated]
        self.environment = environment
        place = directory / "scheduler.json"
        self._start("scheduler", "--port", "0", "--no-dashboard", "--scheduler-file", str(place))
        self._until(lambda: place.exists() and place.read_text().endswith("}"))
        self.scheduler = json.loads(place.read_text())["address"]
        for _ in range(workers):
            self.worker()
        self.wait(workers)

    def worker(self, **environment: str) -> subprocess.Popen[bytes]:
        place = ("--local-directory", str(self.directory / f"worker-{len(self.processes)}"))
        words = ("worker", self.scheduler, "--nthreads", "1", "--no-nanny", "--no-dashboard", *place)
        return self._start(*words, **environment)

    def wait(self, workers: int) -> None:
        from distributed import Client

        with Client(self.scheduler, timeout=PATIENCE, set_as_default=False) as client:
            client.wait_for_workers(workers, timeout=PATIENCE)

    def kill(self, worker: subprocess.Popen[bytes]) -> None:
        worker.kill()
        worker.wait()
        self.processes.remove(worker)

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()

    def _start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        with open(self.directory / "log", "ab") as log:
            program = [sys.executable, "-m", "dask", *words, "--host", "127.0.0.1"]
            own = os.environ | {"OMP_NUM_THREADS": "1"} | self.environment | environment
            process = subprocess.Popen(program, stdout=log, stderr=log, env=own, cwd=self.directory)
        self.processes.append(process)
        return process

    def _until(self, come: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not come():
            assert time.monotonic() < end and not any(each.poll() for each in self.processes)
            time.sleep(0.05)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("distributed")
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    yield started
    started.end()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("executors") / "bars"
    write_universe(directory, 9)
    return directory


@pytest.fixture
def choose(request: pytest.FixtureRequest) -> Callable[..., dict[str, Any]]:
    """The settings that ask for an executor, by its name."""

    def chosen(name: str) -> dict[str, Any]:
        others: dict[str, dict[str, Any]] = {"processes": {"workers": 2}}
        if name == "dask":
            others["dask"] = {"scheduler": request.getfixturevalue("cluster").scheduler}
        return {"executor": name} | others.get(name, {})

    return chosen


def test_a_task_gives_its_result_or_its_error(executor_name: str, choose: Callable[..., dict[str, Any]]) -> None:
    executor = open_executor(WorkSettings(**choose(executor_name)), 4)
    assert isinstance(executor, Executor) and executor.room >= 1
    good, bad = executor.submit(round, 2.4), executor.submit(int, "x")
    assert good.result(PATIENCE) == 2
    assert isinstance(bad.exception(PATIENCE), ValueError)
    executor.shutdown()


def test_bytes_are_those_of_a_local_run(
    executor_name: str,
    choose: Callable[..., dict[str, Any]],
    data: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    if executor_name == "local":
        pytest.skip("it is what the others are compared with")
    written = []
    for executor in ("local", executor_name):
        directory = tmp_path / executor.partition(":")[0]
        how = [word for key, value in choose(executor).items() for word in (f"--{key}", str(value))]
        symbols = ("S003", "NOPE", "S001", "S004", "S008", "S002")
        code = make_app([], whole=True)(
            ["backtest", *symbols, "--data", str(data), *OPTIONS, *how, "--json", "--output", str(directory)],
            standalone_mode=False,
        )
        out, err = capfd.readouterr()
        assert (code, err) == (4, "marketsim: 1 of 6 symbols failed\n")
        written.append([out, *((directory / file).read_text() for file in FILES)])
    assert written[0] == written[1]
    assert [each["symbol"] for each in json.loads(written[1][0])["symbols"]] == list(symbols)


def test_a_worker_of_a_cluster_is_killed_and_another_does_its_work(cluster: Cluster, data: Path) -> None:
    victim = cluster.worker()
    cluster.wait(3)
    symbols = [f"S00{i}" for i in range(9)] * 4
    stream = parallel.stream(symbols, cheap(data, scheduler=cluster.scheduler), Clock())
    runs = [next(stream)]
    cluster.kill(victim)
    runs += stream
    expected = {each.symbol: each.document for each in parallel.stream(symbols[:9], cheap(data), Clock())}
    assert [each.document for each in runs] == [expected[symbol] for symbol in symbols]


def test_a_worker_of_another_copy_of_the_package_is_not_used(cluster: Cluster, data: Path, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "marketsim", ignore=shutil.ignore_patterns("__pycache__", "samples"))
    with (tmp_path / "marketsim" / "models" / "last_bar.py").open("a") as file:
        file.write("LastBar.forecast = lambda self, series, origins: 1 / 0\n")
    odd = cluster.worker(PYTHONPATH=str(tmp_path))
    cluster.wait(3)
    symbols = [f"S00{i}" for i in range(9)] * 4
    runs = list(parallel.stream(symbols, cheap(data, scheduler=cluster.scheduler), Clock()))
    cluster.kill(odd)
    expected = {each.symbol: each.document for each in parallel.stream(symbols[:9], cheap(data), Clock())}
    assert [each.document for each in runs] == [expected[symbol] for symbol in symbols]


def test_a_frozen_worker_is_given_up(cluster: Cluster, data: Path) -> None:
    frozen = cluster.worker()
    cluster.wait(3)
    symbols = [f"S00{i}" for i in range(9)] * 4
    stream = parallel.stream(symbols, cheap(data, scheduler=cluster.scheduler, worker_timeout=3), Clock())
    runs = [next(stream)]
    frozen.send_signal(signal.SIGSTOP)
    runs += stream
    cluster.kill(frozen)
    expected = {each.symbol: each.document for each in parallel.stream(symbols[:9], cheap(data), Clock())}
    assert [each.document for each in runs] == [expected[symbol] for symbol in symbols]


def test_what_waits_for_ever_is_given_up(cluster: Cluster) -> None:
    from marketsim.backtesting.executors import dask

    executor = dask.Dask(WorkSettings(scheduler=cluster.scheduler), 2)
    try:
        gone = executor._submit(["tcp://127.0.0.1:9"], abs, -1)
        here = executor.submit(abs, -2)
        assert executor.room == 4
        with pytest.raises(BrokenExecutor, match="the workers that it was meant for are gone"):
            gone.result(60)
        assert here.result(60) == 2

        class Frozen:
            """A worker that finished a task and froze before it sent the result."""

            status = "finished"

            def result(self, timeout: float) -> object:
                raise TimeoutError

        executor._tasks["frozen"] = dask.Task(Frozen(), frozen := Future(), frozenset())
        executor._done("frozen")
        with pytest.raises(BrokenExecutor, match="has not sent the result in 10 s"):
            frozen.result(0)
    finally:
        executor.shutdown(wait=False)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        pytest.param({"executor": "dask"}, "needs --scheduler", marks=CLUSTER),
        ({"scheduler": "tcp://127.0.0.1:1", "executor": "processes"}, "works with --executor dask"),
        ({"workers": 2, "executor": "local"}, "uses one process"),
        pytest.param({"scheduler": "nonsense"}, "--scheduler nonsense: no scheduler answers there", marks=CLUSTER),
    ],
)
def test_settings_that_cannot_be_met_are_one_line(settings: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        open_executor(WorkSettings(**settings), 2)


@CLUSTER
def test_a_scheduler_that_is_not_there_is_no_long_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    from marketsim.backtesting.executors import dask

    monkeypatch.setattr(dask, "PATIENCE", 0.2)
    with pytest.raises(UsageError, match="no scheduler answers there") as caught:
        open_executor(WorkSettings(scheduler="tcp://127.0.0.1:1"), 2)
    assert "\n" not in str(caught.value)


def test_without_dask_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(MissingExtra, match=r"marketsim\[cluster\]"):
        open_executor(WorkSettings(scheduler="tcp://127.0.0.1:1"), 2)


def test_auto_is_no_more_than_what_is_asked_for() -> None:
    names = [type(open_executor(WorkSettings(workers=workers), tasks)).__name__ for workers, tasks in ((1, 9), (4, 1))]
    assert names == ["Local", "Local"]
    pool = open_executor(WorkSettings(workers=4), 2)
    assert (type(pool).__name__, pool.room) == ("Processes", 3)
    pool.shutdown()


def test_shared_memory_that_cannot_be_written_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **others: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(multiprocessing.get_context("spawn"), "Lock", refuse, raising=False)
    with pytest.raises(MarketsimError, match=r"--workers: no locks .* read-only file system .* --workers 1 needs none"):
        Processes(WorkSettings(workers=2), 2)
