"""Many symbols: chunks of them through an executor, each symbol done once, given back in order."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from dataclasses import dataclass, replace

from marketsim import __version__
from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.backtesting.executors import open_executor
from marketsim.backtesting.pipeline import Progress, Tools
from marketsim.data.present import present
from marketsim.errors import MarketsimError
from marketsim.forecasting.keys import fingerprint
from marketsim.models import open_model
from marketsim.profiling import Clock
from marketsim.results.document import describe, fail, finish
from marketsim.results.result import Finished
from marketsim.results.run_directory import Folder
from marketsim.settings.settings import Settings

CHUNK = 8  # symbols of a task: their contexts go through the model together
ENDING = 4  # the last tasks get smaller, a fourth of what is left each, so that workers end together
PULSE = 5  # seconds after which the executor is asked again whether it lives
AHEAD = 4  # tasks for each that there is room for, that may be finished before the one whose turn it is


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told: plain values, from which it opens its own tools."""

    run: str  # tells runs apart in a process that outlives them
    settings: Settings
    symbols: tuple[str, ...]
    rows: bool  # whether the rows of the CSV files are wanted
    version: str = __version__


class _Here(threading.local):
    """What a thread that works keeps from one task of a run to the next."""

    def __init__(self) -> None:
        self.run = ""
        self.tools: Tools | None = None
        self.clock: Clock | None = None  # of the run that goes on in this very thread
        self.progress: Progress = _silent

    def open(self, job: Job, clock: Clock) -> Tools:
        """The tools of the job's run: a model is loaded once."""
        if self.tools is None or self.run != job.run:
            self.close()
            self.run, self.tools = job.run, pipeline.open_tools(job.settings, clock)
        return self.tools

    def close(self) -> None:
        """Let go of the tools."""
        if self.tools is not None and self.tools.cache is not None:
            self.tools.cache.close()
        self.tools = None


def _silent(what: str, done: int, total: int) -> None:
    """The progress that nobody hears."""


_here = _Here()


def work(job: Job) -> tuple[list[Finished], Clock]:
    """What a worker does: the symbols of one task, and where its time went.

    MarketsimError for what is wrong with the run as a whole, such as a model without weights.
    """
    if job.version != __version__:
        raise MarketsimError(f"a worker runs marketsim {__version__}, not {job.version}: install the same everywhere")
    clock = _here.clock or Clock()
    tools = _here.open(job, clock)
    model = fingerprint(tools.model)
    done: list[Finished] = []
    together, then = -_shared(clock), time.perf_counter()
    for run in pipeline.stream(job.symbols, job.settings, tools, clock, _here.progress):
        with clock.stage("report/document"):
            finished = finish(run, model, job.rows)
        now = time.perf_counter()
        if not done:  # all symbols were loaded and forecast before the first
            together += _shared(clock)
            then += together
        done.append(replace(finished, seconds=max(0.0, now - then) + together / len(job.symbols)))
        then = now
    return done, clock


def _shared(clock: Clock) -> float:
    return sum(clock.seconds.get(stage, 0.0) for stage in ("load", "cache", "forecast"))


def stream(
    symbols: Sequence[str],
    settings: Settings,
    clock: Clock,
    folder: Folder | None = None,
    progress: Progress = _silent,
) -> Generator[Finished]:
    """Every symbol's outcome in the order given, by the executor that the settings name.

    Each is kept in `folder` as soon as it is there, and what that has kept already is not run again where its bars and
    its model are the same. A symbol whose worker is killed is tried once more, alone. MarketsimError where the run as a
    whole cannot be done. A stream that is closed early ends its workers.
    """
    course = _Course(symbols, settings, clock, folder, progress, _earlier(folder, settings))
    _here.clock, _here.progress = clock, progress
    try:
        while course.turn < len(symbols):
            course.go_on()
            yield from course.due()
        course.executor.shutdown()
    except BaseException:
        course.executor.shutdown(wait=False)
        raise
    finally:
        _here.clock, _here.progress = None, _silent
        _here.close()


class _Course:
    """A run on its way: what is in flight, what has landed, whose turn it is."""

    def __init__(
        self,
        symbols: Sequence[str],
        settings: Settings,
        clock: Clock,
        folder: Folder | None,
        progress: Progress,
        earlier: Callable[[str], Finished | None],
    ) -> None:
        self.executor = open_executor(settings.work, len(symbols))
        self.turn = 0  # the symbol that is given back next
        self._symbols, self._clock = symbols, clock
        self._settings = settings.replace(now=str(present(settings.bars.now)))  # one present for all workers
        self._folder, self._progress, self._earlier = folder, progress, earlier
        self._run = os.urandom(8).hex()
        self._next = 0  # the first symbol that nobody looked at
        self._flying: dict[Future[tuple[list[Finished], Clock]], tuple[int, ...]] = {}
        self._landed: dict[int, Finished] = {}
        self._again: deque[int] = deque()  # tried in vain once; to be tried with nothing else in flight
        self._tried: set[int] = set()
        self._say()

    def due(self) -> Iterator[Finished]:
        """What has landed and has its turn."""
        while self.turn in self._landed:
            yield self._landed.pop(self.turn)
            self.turn += 1

    def go_on(self) -> None:
        """Send off what there is room for, and wait for what lands first, but not for ever."""
        room = self.executor.room
        if self._again:
            if not self._flying:
                self._send((self._again.popleft(),))
        elif self._tried.isdisjoint(i for chunk in self._flying.values() for i in chunk):
            while len(self._flying) < room and (chunk := self._chunk()):
                self._send(chunk)
        for future in wait(self._flying, PULSE, FIRST_COMPLETED).done:
            self._take(future, self._flying.pop(future))

    def _chunk(self) -> tuple[int, ...]:
        """The next symbols to be run together; how many rests on nothing but how many are left."""
        count = len(self._symbols)
        size = min(CHUNK, -(-(count - self._next) // ENDING))
        most = min(count, self.turn + AHEAD * CHUNK * self.executor.room)
        chunk: list[int] = []
        while len(chunk) < size and self._next < most:
            found = self._earlier(self._symbols[self._next])
            if found is None:
                chunk.append(self._next)
            else:
                self._land(self._next, found)
            self._next += 1
        return tuple(chunk)

    def _send(self, chunk: tuple[int, ...]) -> None:
        job = Job(self._run, self._settings, tuple(self._symbols[i] for i in chunk), self._folder is not None)
        try:
            future = self.executor.submit(work, job)
        except BrokenExecutor:
            self.executor.shutdown(wait=False)
            self.executor = open_executor(self._settings.work, len(self._symbols))
            future = self.executor.submit(work, job)
        self._flying[future] = chunk

    def _take(self, future: Future[tuple[list[Finished], Clock]], chunk: tuple[int, ...]) -> None:
        """What became of a task; where it failed as no symbol should, each of its symbols is tried alone."""
        try:
            finished, clock = future.result()
        except MarketsimError:
            raise
        except ImportError as error:
            raise MarketsimError(f"a worker lacks what it needs: {error}") from error
        except CancelledError:
            raise MarketsimError("the executor gave the run up") from None
        except Exception as error:
            killed = isinstance(error, BrokenExecutor)
            if len(chunk) > 1 or (killed and chunk[0] not in self._tried):
                self._tried.update(chunk)
                self._again.extend(chunk)
            else:
                symbol = self._symbols[chunk[0]]
                why = "its worker was killed twice" if killed else f"unexpected {type(error).__name__}: {error}"
                failure = MarketsimError(f"{symbol}: {why}" + ("" if killed else " (--debug shows where)"))
                failure.__cause__ = error
                self._land(chunk[0], fail(symbol, failure))
            return
        if clock is not self._clock:
            self._clock.add(clock)
        for i, each in zip(chunk, finished, strict=True):
            if self._folder is not None:
                with self._clock.stage("report/files"):
                    self._folder.keep(each)
            self._land(i, each)

    def _land(self, i: int, finished: Finished) -> None:
        self._landed[i] = finished
        self._say()

    def _say(self) -> None:
        if len(self._symbols) > 1:
            self._progress("symbols", self.turn + len(self._landed), len(self._symbols))


def _earlier(folder: Folder | None, settings: Settings) -> Callable[[str], Finished | None]:
    """What the folder kept of a symbol, unless its bars or the model are others by now."""
    if folder is None or not folder.resumed:
        return lambda symbol: None
    source = open_bars(settings.bars)
    model = fingerprint(open_model(settings.model, settings.network, settings.seed))

    def find(symbol: str) -> Finished | None:
        found = folder.find(symbol)
        if found is None:
            return None
        try:
            same = found.model == model and found.document["bars"] == describe(load(symbol, settings.bars, source))
        except MarketsimError:
            same = False
        if same:
            return found
        folder.notes.append(f"{symbol}: its bars or the model changed, it is run again")
        return None

    return find
