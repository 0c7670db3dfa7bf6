"""`local`: runs tasks in this process, immediately."""

from __future__ import annotations

from collections.abc import Callable
from concurrent import futures
from typing import ParamSpec, TypeVar

from marketsim.settings.groups import WorkSettings

P = ParamSpec("P")
T = TypeVar("T")


class Local(futures.Executor):
    """Runs a task in this process before `submit` returns; it has no settings."""

    separate = remote = False
    room = 1

    def __init__(self, work: WorkSettings | None = None, workers: int = 1) -> None:
        super().__init__()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> futures.Future[T]:
        """Run the task and return its finished future; Ctrl-C is raised, not stored in it."""
        future: futures.Future[T] = futures.Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:
            future.set_exception(error)
        return future

    def submit_to_others(self, workers: object, /, *task: object) -> None:
        """See `Executor.submit_to_others`; there are no others."""
