"""Executors: one file and one line in `registry.EXECUTORS` each, all `concurrent.futures.Executor`."""

from __future__ import annotations

from collections.abc import Callable, Collection
from concurrent.futures import Future
from contextvars import ContextVar
from typing import Protocol, TypeVar

from marketsim import registry
from marketsim.errors import UsageError
from marketsim.settings.groups import WorkSettings

A = TypeVar("A")
T = TypeVar("T")

worker_name = ContextVar("worker_name", default="this machine")  # of whoever does the task, inside the task


class Executor(Protocol):
    """The part of `concurrent.futures.Executor` that is used, and how much it can take.

    An executor is built from `WorkSettings` and the number of workers that the run has tasks for.
    """

    separate: bool  # whether workers are other processes, which may have other code
    remote: bool  # whether they may be on other machines too, and read other files

    @property
    def room(self) -> int:
        """How many tasks can be submitted now; MarketsimError if there is no worker."""
        ...

    def submit(self, fn: Callable[[A], T], argument: A, /) -> Future[T]:
        """Start a task; BrokenExecutor where a worker died, after which this executor is of no more use."""
        ...

    def submit_to_others(self, workers: Collection[str], fn: Callable[[A], T], argument: A, /) -> Future[T] | None:
        """As `submit`, to any worker except the named ones; None if there is no other."""
        ...

    def shutdown(self, wait: bool = True) -> None:
        """Without `wait`, what is still running is ended, not waited for."""
        ...


def open_executor(work: WorkSettings, tasks: int) -> Executor:
    """The executor that the settings name, for at most so many tasks at once.

    `auto` is dask where a scheduler is named, processes where more than one is of use, else this process.
    UsageError for settings that contradict each other, and for a scheduler that cannot be reached.
    """
    name, workers = work.executor, min(work.workers, tasks)
    if name == "auto":
        name = "dask" if work.scheduler else "processes" if workers > 1 else "local"
    if name != "dask" and name in registry.EXECUTORS and work.scheduler:
        raise UsageError(f"--scheduler works with --executor dask, not with {name}")
    if work.executor == "local" and work.workers > 1:
        raise UsageError("--executor local uses one process: leave it out, or use --workers 1")
    executor: Executor = registry.load(registry.EXECUTORS, "executor", name)(work, workers)
    return executor
