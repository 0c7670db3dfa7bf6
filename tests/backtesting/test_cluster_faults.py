"""A cluster that is silent or secured, or whose scheduler freezes or dies: one line, or the same bytes."""

from __future__ import annotations

import pickle
import re
import signal
import socket
import subprocess
import sys
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest

from marketsim.backtesting import dispatcher, parallel
from marketsim.backtesting.executors import open_executor
from marketsim.backtesting.executors.local import Local
from marketsim.errors import UsageError
from marketsim.profiling import Clock
from marketsim.settings.database_url import with_own_password, without_secret
from marketsim.settings.groups import WorkSettings
from tests.contracts.test_executors import Cluster
from tests.many_symbols import OPTIONS, cheap, write_universe

pytestmark = pytest.mark.slow

pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("cluster") / "bars"
    write_universe(directory, 6)
    return directory


def test_what_accepts_and_stays_silent_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from marketsim.backtesting.executors import dask

    monkeypatch.setattr(dask, "PATIENCE", 1)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        address = f"tcp://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(UsageError, match=rf"^--scheduler {address}: no scheduler answers there") as caught:
            open_executor(WorkSettings(scheduler=address), 2)
    assert "\n" not in str(caught.value)


def check_one_line(cluster: Cluster, data: Path, how: signal.Signals) -> None:
    """A run whose scheduler gets this signal ends with one line."""
    from distributed import Client

    program = "from marketsim.backtesting.executors import dask; dask.PATIENCE = 3; import marketsim.__main__"
    words = ["backtest", *(f"S00{i}" for i in range(6)), "--data", str(data), *OPTIONS]
    command = [sys.executable, "-c", program, *words, "--scheduler", cluster.scheduler]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with Client(cluster.scheduler, set_as_default=False) as client:
        cluster._until(lambda: run.poll() is not None or any(client.processing().values()))
    cluster.processes[0].send_signal(how)
    try:
        _, err = run.communicate(timeout=90)
    finally:
        run.kill()
    lines = err.splitlines()
    assert run.returncode == 1
    assert re.fullmatch(rf"marketsim: the scheduler {cluster.scheduler} is gone \(.+\)", lines[-1])
    assert len([line for line in lines if not line.startswith("note: ")]) == 1


def test_a_scheduler_that_freezes_or_dies_ends_the_run_with_one_line(data: Path, tmp_path: Path) -> None:
    cluster = Cluster(tmp_path, 1)
    scheduler, worker = cluster.processes
    worker.send_signal(signal.SIGSTOP)  # its tasks will last
    try:
        check_one_line(cluster, data, signal.SIGSTOP)
        scheduler.send_signal(signal.SIGCONT)
        check_one_line(cluster, data, signal.SIGKILL)
    finally:
        cluster.end()


def test_a_secured_cluster_is_met_by_dasks_own_settings(data: Path, tmp_path: Path) -> None:
    import dask
    from distributed.security import Security

    own = Security.temporary()
    paths = {}
    for name, text in (("ca-file", own.tls_ca_file), ("cert", own.tls_client_cert), ("key", own.tls_client_key)):
        paths[name] = str(tmp_path / name)
        Path(paths[name]).write_text(text)
    said = {"tls.ca-file": paths["ca-file"], "require-encryption": True}
    for role in ("client", "scheduler", "worker"):
        said |= {f"tls.{role}.{part}": paths[part] for part in ("cert", "key")}
    environment = {
        f"DASK_DISTRIBUTED__COMM__{name.replace('.', '__').replace('-', '_').upper()}": str(value)
        for name, value in said.items()
    }
    with dask.config.set({f"distributed.comm.{name}": value for name, value in said.items()}):
        started = Cluster(tmp_path, 1, **environment)
        try:
            assert started.scheduler.startswith("tls://")
            (run,) = parallel.stream(["S001"], cheap(data, scheduler=started.scheduler), Clock())
        finally:
            started.end()
    (expected,) = parallel.stream(["S001"], cheap(data), Clock())
    assert run.document == expected.document


class Watched(Local):
    """Does its tasks here, as if it were elsewhere, and keeps what it was told."""

    separate = remote = True
    told: list[bytes] = []  # noqa: RUF012

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.told.append(pickle.dumps(args))
        return super().submit(fn, *args, **kwargs)


def test_a_cluster_is_told_no_password(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = "postgresql://trader:s3cret@127.0.0.1:1/forecasts?password=s3cret&connect_timeout=1"
    monkeypatch.setattr(dispatcher, "open_executor", lambda work, tasks: Watched())
    monkeypatch.setattr(Watched, "told", [])
    (run,) = parallel.stream(["S001"], cheap(data, cache="readwrite", cache_url=url, executor="dask"), Clock())
    assert run.document is not None
    assert len(Watched.told) == 1
    assert b"s3cret" not in Watched.told[0]
    assert b"trader@127.0.0.1:1/forecasts?connect_timeout=1" in Watched.told[0]


def test_a_worker_has_its_own_password(monkeypatch: pytest.MonkeyPatch) -> None:
    told = without_secret("postgresql://trader:drivers@db/forecasts")
    assert with_own_password(told) == "postgresql://trader@db/forecasts"
    monkeypatch.setenv("MARKETSIM_CACHE_URL", "postgresql://trader:workers@db/forecasts")
    assert with_own_password(told) == "postgresql://trader:workers@db/forecasts"
    monkeypatch.setenv("MARKETSIM_CACHE_URL", "postgresql://trader:workers@other/forecasts")
    assert with_own_password(told) == told


@pytest.mark.parametrize(("threads", "size"), [(2, 8), (128, 4), (500, 1)])
def test_every_thread_of_a_cluster_gets_symbols(
    data: Path, monkeypatch: pytest.MonkeyPatch, threads: int, size: int
) -> None:
    monkeypatch.setattr(Watched, "room", 2 * threads)
    monkeypatch.setattr(dispatcher, "open_executor", lambda work, tasks: Watched())
    run = dispatcher.Dispatcher(
        [f"S{i}" for i in range(500)], cheap(data), Clock(), None, lambda *_: None, lambda symbol: None, False
    )
    monkeypatch.setattr(run, "_look_at", lambda symbol: None)
    assert len(run._chunk(run.executor.room)) == size
