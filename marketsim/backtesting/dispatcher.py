"""The run of many symbols: jobs are handed to an executor, and what comes back is put in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait

from marketsim.backtesting.executors import open_executor
from marketsim.backtesting.pipeline import Progress
from marketsim.backtesting.worker import Job, JobDone, work
from marketsim.data.present import present
from marketsim.errors import Failure, MarketsimError
from marketsim.profiling import Clock
from marketsim.results.result import FinishedSymbol
from marketsim.results.run_directory import RunDirectory
from marketsim.settings.settings import Settings

CHUNK = 8  # symbols of a job: their contexts go through the model together
ENDING = 4  # the last jobs get smaller, a fourth of what is left each, so that workers end together
PULSE = 5  # seconds after which the executor is asked again whether it lives
AHEAD = 4  # jobs for each that there is room for, that may be finished before the one whose turn it is


class Dispatcher:
    """Hands out the symbols of a run, each once, and gives back the finished ones in order."""

    def __init__(
        self,
        symbols: Sequence[str],
        settings: Settings,
        clock: Clock,
        directory: RunDirectory | None,
        progress: Progress,
        kept: Callable[[str], FinishedSymbol | None],
        rows: bool,
    ) -> None:
        self.executor = open_executor(settings.work, len(symbols))
        self._symbols, self._clock = symbols, clock
        self._settings = settings.replace(now=str(present(settings.bars.now)))  # one present for all workers
        self._directory, self._progress, self._kept, self._rows = directory, progress, kept, rows
        self._run = os.urandom(8).hex()
        self._turn = 0  # the symbol that is given back next
        self._next = 0  # the first symbol that was not looked at yet
        self._running: dict[Future[JobDone], tuple[int, ...]] = {}
        self._finished: dict[int, FinishedSymbol] = {}
        self._suspects: deque[int] = deque()  # of a job that failed as none should; tried again, one at a time
        self._tried: set[int] = set()  # what was among them
        self._report()

    @property
    def over(self) -> bool:
        """Whether every symbol was given back."""
        return self._turn == len(self._symbols)

    def due(self) -> Iterator[FinishedSymbol]:
        """What is finished and has its turn."""
        while self._turn in self._finished:
            yield self._finished.pop(self._turn)
            self._turn += 1

    def advance(self) -> None:
        """Hand out what there is room for, and wait for what comes back first, but not for ever."""
        room = self.executor.room
        if self._suspects:
            if not self._running:
                self._submit((self._suspects.popleft(),))
        elif self._tried.isdisjoint(i for chunk in self._running.values() for i in chunk):
            while len(self._running) < room and (chunk := self._chunk()):
                self._submit(chunk)
        for future in wait(self._running, PULSE, FIRST_COMPLETED).done:
            self._take(future, self._running.pop(future))

    def _chunk(self) -> tuple[int, ...]:
        """The next symbols to be run together; how many rests on nothing but how many are left."""
        count = len(self._symbols)
        size = min(CHUNK, -(-(count - self._next) // ENDING))
        most = min(count, self._turn + AHEAD * CHUNK * self.executor.room)
        chunk: list[int] = []
        while len(chunk) < size and self._next < most:
            found = self._kept(self._symbols[self._next])
            if found is None:
                chunk.append(self._next)
            else:
                self._finish(self._next, found)
            self._next += 1
        return tuple(chunk)

    def _submit(self, chunk: tuple[int, ...]) -> None:
        job = Job(self._run, self._settings, tuple(self._symbols[i] for i in chunk), self._rows)
        try:
            future = self.executor.submit(work, job)
        except BrokenExecutor:
            self.executor.shutdown(wait=False)
            self.executor = open_executor(self._settings.work, len(self._symbols))
            future = self.executor.submit(work, job)
        self._running[future] = chunk

    def _take(self, future: Future[JobDone], chunk: tuple[int, ...]) -> None:
        """What became of a job."""
        try:
            done = future.result()
        except MarketsimError:
            raise
        except ImportError as error:
            raise MarketsimError(f"a worker lacks what it needs: {error}") from error
        except CancelledError:
            raise MarketsimError("the executor gave the run up") from None
        except Exception as error:
            self._suspect(chunk, error)
            return
        if done.clock is not self._clock:
            self._clock.add(done.clock)
        for i, finished in zip(chunk, done.symbols, strict=True):
            if self._directory is not None:
                with self._clock.stage("report/files"):
                    self._directory.keep(finished)
            self._finish(i, finished)

    def _suspect(self, chunk: tuple[int, ...], error: Exception) -> None:
        """Each symbol of a job that failed as none should is tried alone, and a killed worker's once more."""
        killed = isinstance(error, BrokenExecutor)
        if len(chunk) > 1 or (killed and chunk[0] not in self._tried):
            self._tried.update(chunk)
            self._suspects.extend(chunk)
            return
        symbol = self._symbols[chunk[0]]
        why = "its worker was killed twice" if killed else f"unexpected {type(error).__name__}: {error}"
        failure = MarketsimError(f"{symbol}: {why}" + ("" if killed else " (--debug shows where)"))
        failure.__cause__ = error
        self._finish(chunk[0], FinishedSymbol(symbol, Failure(failure)))

    def _finish(self, i: int, finished: FinishedSymbol) -> None:
        self._finished[i] = finished
        self._report()

    def _report(self) -> None:
        if len(self._symbols) > 1:
            self._progress("symbols", self._turn + len(self._finished), len(self._symbols))
