"""`dask`: the workers of a running Dask cluster."""

from __future__ import annotations

import asyncio
import logging
import os
import threading
import time
import warnings
from collections.abc import Callable, Collection
from concurrent import futures
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from marketsim.backtesting.executors import worker_name
from marketsim.errors import MarketsimError, MissingExtra, UsageError
from marketsim.settings.groups import WorkSettings

if TYPE_CHECKING:
    from distributed import Client

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 10  # seconds for a scheduler to answer, and for its first worker to be there
GRACE = 60  # seconds without any worker, while a run lasts


@dataclass(slots=True)
class Task:
    """A task of the cluster, and what the caller waits for."""

    remote: Any  # distributed's future
    future: futures.Future[Any]
    workers: frozenset[str]  # that may do it; any of them where none is named


@dataclass(slots=True)
class Sign:
    """The last heartbeat of a worker."""

    seen: float  # by the scheduler's clock
    since: float  # by ours: when we first heard of it


class Dask(futures.Executor):
    """The Dask cluster at `work.scheduler`, with as many workers as it has.

    A worker without a sign of life for `work.worker_timeout` seconds gets no more tasks, and what it had is as if it
    had died. Dask's own settings say how connections are secured.

    UsageError where no scheduler answers or none of its workers is there; MissingExtra without Dask distributed.
    """

    separate = remote = True

    def __init__(self, work: WorkSettings, workers: int) -> None:
        try:
            import distributed
        except ImportError:
            raise MissingExtra("--executor dask", "cluster") from None
        if work.scheduler is None:
            raise UsageError("--executor dask needs --scheduler tcp://HOST:PORT (`dask scheduler` starts one)")
        for name in ("distributed", "distributed.client", "distributed.comm", "tornado.application"):
            logging.getLogger(name).setLevel(logging.CRITICAL + 1)  # what matters comes as an exception
        warnings.filterwarnings(
            "ignore", "coroutine .* was never awaited", RuntimeWarning
        )  # of a client that is closed
        self._scheduler, self._timeout = work.scheduler, work.worker_timeout
        self._tasks: dict[str, Task] = {}
        self._signs: dict[str, Sign] = {}
        try:
            _within(PATIENCE, lambda: asyncio.run(_greet(work.scheduler or "")))
            self._client: Client = _within(
                PATIENCE, lambda: distributed.Client(work.scheduler, timeout=PATIENCE, set_as_default=False)
            )
        except Exception as error:  # whatever is there may answer anything
            raise UsageError(f"--scheduler {work.scheduler}: no scheduler answers there ({_words(error)})") from error
        if not self._living(PATIENCE):
            start = f"`dask worker {work.scheduler}` starts one"
            self.shutdown()
            raise UsageError(f"--scheduler {work.scheduler}: it has no workers; {start}")

    @property
    def room(self) -> int:
        """A task for each thread of the cluster as it is now, and as many that wait.

        MarketsimError where the scheduler is gone, or all workers are and no new one comes.
        """
        living = self._living(GRACE)
        if not living:
            raise MarketsimError(f"the scheduler {self._scheduler} has lost all its workers")
        self._give_up(set(self._signs) - set(living))
        self._give_up_homeless(set(living))
        return 2 * sum(living.values())

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> futures.Future[T]:
        """See `Executor.submit`; a task whose worker dies is done by another one."""
        living = self._living(GRACE)
        return self._submit(None if len(living) == len(self._signs) else list(living), fn, *args, **kwargs)

    def submit_to_others(
        self, workers: Collection[str], fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[T] | None:
        """See `Executor.submit_to_others`."""
        others = [name for name in self._living(0) if name not in workers]
        return self._submit(others, fn, *args, **kwargs) if others else None

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Executor.shutdown`; the cluster goes on."""
        if wait and not cancel_futures:
            futures.wait([task.future for task in self._tasks.values()])
        for task in list(self._tasks.values()):
            task.future.cancel()
        try:
            _within(PATIENCE, lambda: self._client.close(timeout=PATIENCE / 2))
        except Exception:  # it is gone, and we are going
            return

    def _submit(
        self, workers: list[str] | None, fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[T]:
        key = f"marketsim-{os.urandom(8).hex()}"
        remote = self._client.submit(_named, fn, *args, **kwargs, key=key, pure=False, workers=workers)
        future: futures.Future[T] = futures.Future()
        future.set_running_or_notify_cancel()
        self._tasks[key] = Task(remote, future, frozenset(workers or ()))
        remote.add_done_callback(lambda _: self._done(key))
        return future

    def _done(self, key: str) -> None:
        """Hand on what became of a task."""
        task = self._tasks.pop(key, None)
        if task is None:  # given up
            return
        try:
            result = task.remote.result(timeout=PATIENCE)
        except futures.CancelledError as error:  # by nobody here
            words = f"the scheduler {self._scheduler} is gone (it cancelled its tasks)"
            task.future.set_exception(MarketsimError(words).with_traceback(error.__traceback__))
        except BaseException as error:
            if isinstance(error, TimeoutError) and task.remote.status == "finished":
                error = futures.BrokenExecutor(f"its worker has not sent the result in {PATIENCE:g} s")
            task.future.set_exception(error)
        else:
            task.future.set_result(result)

    def _living(self, patience: float) -> dict[str, int]:
        """The workers whose heartbeats arrive, with their threads; none after `patience` seconds without one."""
        end = time.monotonic() + patience
        while True:
            try:
                workers = _within(PATIENCE, lambda: dict(self._client.scheduler_info(n_workers=-1)["workers"]))
            except Exception as error:
                raise MarketsimError(f"the scheduler {self._scheduler} is gone ({_words(error)})") from error
            now = time.monotonic()
            self._signs = {name: self._sign(name, workers[name]["last_seen"], now) for name in workers}
            living = {
                name: int(workers[name]["nthreads"])
                for name, sign in self._signs.items()
                if now - sign.since <= self._timeout
            }
            if living or now >= end:
                return living
            time.sleep(0.1)

    def _sign(self, name: str, seen: float, now: float) -> Sign:
        sign = self._signs.get(name)
        return sign if sign is not None and sign.seen == seen else Sign(seen, now)

    def _give_up(self, silent: Collection[str]) -> None:
        """End the tasks of workers that are silent as if they had been killed."""
        if not silent:
            return
        running = _within(PATIENCE, self._client.processing)
        for name in silent:
            for key in map(str, running.get(name, ())):
                self._break(key, f"the worker {name} sent no heartbeat for {self._timeout:g} s")

    def _give_up_homeless(self, living: Collection[str]) -> None:
        """End the tasks that wait for workers of which none lives: no scheduler gives them to others."""
        for key, task in list(self._tasks.items()):
            if task.workers and task.workers.isdisjoint(living):
                self._break(key, "the workers that it was meant for are gone")

    def _break(self, key: str, why: str) -> None:
        """End a task as if its worker had been killed, unless it has finished meanwhile."""
        task = self._tasks.pop(key, None)
        if task is not None:
            task.remote.cancel()
            task.future.set_exception(futures.BrokenExecutor(why))


async def _greet(scheduler: str) -> None:
    """Connect once: a client that cannot does not let go soon, nor quietly."""
    from distributed.comm.core import connect
    from distributed.security import Security

    await (await connect(scheduler, timeout=PATIENCE / 2, **Security().get_connection_args("client"))).close()


def _within(seconds: float, action: Callable[[], T]) -> T:
    """What `action` returns or raises; TimeoutError if it takes longer."""
    answer: futures.Future[T] = futures.Future()

    def act() -> None:
        try:
            answer.set_result(action())
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=act, daemon=True).start()
    try:
        return answer.result(seconds)
    except TimeoutError:
        raise TimeoutError(f"no answer in {seconds:g} s") from None


def _named(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do a task, which can ask who does it."""
    from distributed import get_worker

    worker_name.set(get_worker().address)
    return fn(*args, **kwargs)


def _words(error: Exception) -> str:
    if not isinstance(error, (OSError, ValueError)):  # TimeoutError is an OSError
        return "something else does"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
