"""`dask`: the workers of a Dask cluster that runs already."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from concurrent import futures
from typing import ParamSpec, TypeVar

from marketsim.backtesting.executors import worker_name
from marketsim.errors import MarketsimError, MissingExtra, UsageError

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE = 5  # seconds for a scheduler to answer, and for its first worker to be there
GRACE = 60  # seconds without any worker, while a run lasts


class Dask(futures.Executor):
    """The cluster of `scheduler`; how many `workers` it has is its own affair.

    UsageError where no scheduler answers or none of its workers is there; MissingExtra without Dask distributed.
    """

    separate = remote = True

    def __init__(self, workers: int, scheduler: str | None) -> None:
        try:
            from distributed import Client
            from distributed.comm.core import connect
        except ImportError:
            raise MissingExtra("--executor dask", "cluster") from None
        if scheduler is None:
            raise UsageError("--executor dask needs --scheduler tcp://HOST:PORT (`dask scheduler` starts one)")
        for name in ("distributed", "distributed.client"):  # what matters comes as an exception
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._scheduler = scheduler

        async def greet() -> None:
            await (await connect(scheduler, timeout=PATIENCE)).close()

        try:
            asyncio.run(greet())  # a client that cannot connect does not let go soon, nor quietly
            self._client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
        except Exception as error:  # whatever is there may answer anything
            raise UsageError(f"--scheduler {scheduler}: no scheduler answers there ({_words(error)})") from error
        try:
            self._client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            self._client.close()
            start = f"`dask worker {scheduler}` starts one"
            raise UsageError(f"--scheduler {scheduler}: it has no workers; {start}") from None
        self._executor = self._client.get_executor(pure=False)

    @property
    def room(self) -> int:
        """A task for each thread of the cluster as it is now, and as many that wait.

        MarketsimError where the scheduler is gone, or all workers are and no new one comes.
        """
        try:
            self._client.wait_for_workers(1, timeout=GRACE)
            threads: int = sum(self._client.nthreads().values())
        except TimeoutError:
            raise MarketsimError(f"the scheduler {self._scheduler} has lost all its workers") from None
        except (OSError, ValueError, RuntimeError) as error:
            raise MarketsimError(f"the scheduler {self._scheduler} is gone ({_words(error)})") from error
        return max(1, 2 * threads)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> futures.Future[T]:
        """See `Executor.submit`; a task whose worker dies is done by another one."""
        future: futures.Future[T] = self._executor.submit(_named, fn, *args, **kwargs)
        return future

    def submit_to_others(
        self, workers: Collection[str], fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> futures.Future[T] | None:
        """See `Executor.submit_to_others`."""
        others = [name for name in self._client.nthreads() if name not in workers]
        if not others:
            return None
        future: futures.Future[T] = self._executor.submit(_named, fn, *args, **kwargs, workers=others)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Executor.shutdown`; the cluster goes on."""
        self._executor.shutdown(wait and not cancel_futures)
        self._client.close()


def _named(fn: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do a task, which can ask who does it."""
    from distributed import get_worker

    worker_name.set(get_worker().address)
    return fn(*args, **kwargs)


def _words(error: Exception) -> str:
    if not isinstance(error, (OSError, ValueError)):
        return "something else does"
    return str(error).splitlines()[0] if str(error) else type(error).__name__
