"""`processes`: a pool of spawned processes on this machine, each with one arithmetic thread."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from types import ModuleType
from typing import ParamSpec, TypeVar

from marketsim.errors import MarketsimError
from marketsim.settings.groups import WorkSettings

P = ParamSpec("P")
T = TypeVar("T")

MOST = 61 if sys.platform == "win32" else 10_000  # processes that the system can wait for at once
GRACE = 10  # seconds between the ends of the first process and of the last
# Read when numpy or torch is imported, which a worker does long after it has its environment.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Processes(ProcessPoolExecutor):
    """At most `workers` processes, started as tasks come; they end with this process, however it ends."""

    separate, remote = True, False

    def __init__(self, work: WorkSettings, workers: int) -> None:
        self._others = set(multiprocessing.active_children())
        workers = min(workers, MOST)
        try:
            super().__init__(workers, multiprocessing.get_context("spawn"), _begin, gc.get_threshold())
        except OSError as error:  # on Linux, where /dev/shm is full or cannot be written
            why = f"no locks can be made for {workers} processes: {(error.strerror or str(error)).lower()}"
            raise MarketsimError(f"--workers: {why} (shared memory must be writable); --workers 1 needs none") from None
        self.room = workers + 1  # one task waits for whoever is free first

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `Executor.submit`; it is here that processes are started."""
        with _surroundings():
            return super().submit(fn, *args, **kwargs)

    def submit_to_others(self, workers: object, /, *task: object) -> None:
        """See `Executor.submit_to_others`; one process is as good as the other."""

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See `Executor.shutdown`."""
        processes = set(multiprocessing.active_children()) - self._others
        if not wait:
            for process in processes:
                process.kill()
        threading.Thread(target=_end_together, args=(processes,), daemon=True).start()
        super().shutdown(True, cancel_futures=cancel_futures or not wait)


def _end_together(processes: set[BaseProcess]) -> None:
    """Kill the processes that do not end soon after the first: they wait for a lock that a killed one held.

    The pool does so itself, but not where it is told to end at the moment in which a process is killed.
    """
    sentinels = [process.sentinel for process in processes]
    connection.wait(sentinels)
    end = time.monotonic() + GRACE
    while sentinels and (left := end - time.monotonic()) > 0:
        ended = connection.wait(sentinels, left)
        sentinels = [sentinel for sentinel in sentinels if sentinel not in ended]
    for process in processes:
        if process.sentinel in sentinels:
            process.kill()


@contextmanager
def _surroundings() -> Iterator[None]:
    """Processes that are started inside compute with one thread and leave Ctrl-C to their parent.

    They need nothing of the script that started them, and must not run it: without `if __name__ == "__main__"` it would
    start processes in turn.
    """
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    masks = hasattr(signal, "pthread_sigmask")
    held = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}) if masks else set()
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        if masks:
            signal.pthread_sigmask(signal.SIG_SETMASK, held)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value


def _begin(*threshold: int) -> None:
    """Collect garbage as seldom as the parent does, and end this worker when its parent process has died."""
    gc.set_threshold(*threshold)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
