"""Runs of many symbols: jobs go to an executor, and their results are put in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, CancelledError, Future, wait
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.backtesting.executors import open_executor
from marketsim.backtesting.free_memory import file_bytes, shares
from marketsim.backtesting.pipeline import MANY, Progress
from marketsim.backtesting.worker import Job, JobDone, Refused, work
from marketsim.data.present import present
from marketsim.data.symbols import absolute_place
from marketsim.errors import DataError, Failure, MarketsimError, Success
from marketsim.forecasting.files.places import absolute
from marketsim.forecasting.keys import fingerprint
from marketsim.models import chosen_model
from marketsim.profiling import Clock
from marketsim.registry import ENSEMBLES
from marketsim.results.document import bars_facts
from marketsim.results.plugins import code_of
from marketsim.results.result import FinishedSymbol
from marketsim.results.schema import BarsFacts
from marketsim.settings.database_url import without_secret
from marketsim.settings.settings import Settings

if TYPE_CHECKING:
    from marketsim.forecasting.sealed_forecasts import SealedForecasts
    from marketsim.results.run_directory import RunDirectory

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
        basis: bool = False,
        places: int = 0,
        sealed: SealedForecasts | None = None,
        drawn: bool = False,
    ) -> None:
        self.executor = open_executor(settings.work, len(symbols))
        self._symbols, self._clock = symbols, clock
        self._settings = settings.replace(now=str(present(settings.bars.now)))  # one present for all workers
        self._source = open_bars(settings.bars)
        self._directory, self._progress, self._kept = directory, progress, kept
        self._rows, self._basis, self._places, self._sealed = rows, basis, places, sealed
        self._files = file_bytes(rows, charts=places > 0, drawn=drawn)
        self._share = self._memory_of_each()
        self._run = os.urandom(8).hex()
        self._turn = 0  # the symbol that is given back next
        self._next = 0  # the first symbol that was not looked at yet
        self._running: dict[Future[JobDone], tuple[int, ...]] = {}
        self._finished: dict[int, FinishedSymbol] = {}
        self._suspects: deque[int] = deque()  # of a job that failed as none should; tried again, one at a time
        self._tried: set[int] = set()  # what was among them
        self._seen: dict[str, BarsFacts] = {}  # by symbol, where a worker may see other bars
        self._model: str | None = None  # fingerprint of the model, of one with weights as the first worker had it
        if settings.given.forecasts is not None and self.executor.separate:
            self._model = fingerprint(chosen_model(settings))
        self._strangers: dict[str, str] = {}  # workers with other code or another model: why they are not used
        self._refusals: dict[int, dict[str, str]] = {}  # by symbol: workers with other bars, and why
        self._refused: deque[int] = deque()  # to be tried elsewhere
        self._report()

    @property
    def over(self) -> bool:
        """Whether every symbol has been returned."""
        return self._turn == len(self._symbols)

    def due(self) -> Iterator[FinishedSymbol]:
        """The finished symbols that come next in the order given."""
        while self._turn in self._finished:
            yield self._finished.pop(self._turn)
            self._turn += 1

    def advance(self) -> None:
        """Submit as many jobs as there is room for, then wait for the first to end, up to a limit."""
        room = self.executor.room
        while self._refused:
            self._submit((self._refused.popleft(),))
        if self._suspects:
            if not self._running:
                self._submit((self._suspects.popleft(),))
        elif self._tried.isdisjoint(i for chunk in self._running.values() for i in chunk):
            while len(self._running) < room and (chunk := self._chunk(room)):
                self._submit(chunk)
        for future in wait(self._running, PULSE, FIRST_COMPLETED).done:
            self._take(future, self._running.pop(future))

    def _chunk(self, room: int) -> tuple[int, ...]:
        """The next symbols to be run together: fewer towards the end, so that workers end together.

        On one machine their number rests on nothing but how many are left, whatever the number of workers. Long walks
        are run one by one: together their forecasts are held at once, and one fills the model's batches.
        """
        count = len(self._symbols)
        parts = max(ENDING, room // 2) if self.executor.remote else ENDING
        most_together = CHUNK if self._settings.walk.simulations <= MANY else 1
        size = min(most_together, -(-(count - self._next) // parts))
        most = min(count, self._turn + AHEAD * CHUNK * room)
        chunk: list[int] = []
        while len(chunk) < size and self._next < most:
            symbol = self._symbols[self._next]
            found = self._kept(symbol) or self._look_at(symbol)
            if found is None:
                chunk.append(self._next)
            else:
                self._finish(self._next, found)
            self._next += 1
        return tuple(chunk)

    def _look_at(self, symbol: str) -> FinishedSymbol | None:
        """See a symbol's bars here before they are read elsewhere; a failure where there are none."""
        if self.executor.remote and symbol not in self._seen:
            try:
                self._seen[symbol] = bars_facts(load(symbol, self._settings.bars, self._source))
            except MarketsimError as error:
                return FinishedSymbol(symbol, Failure(error))
        return None

    def _submit(self, chunk: tuple[int, ...]) -> None:
        symbols = tuple(self._symbols[i] for i in chunk)
        separate = self.executor.separate
        job = Job(
            run=self._run,
            settings=self._settings_elsewhere() if separate else self._settings,
            symbols=tuple(map(absolute_place, symbols)) if separate else symbols,
            rows=self._rows,
            basis=self._basis,
            places=self._places,
            sealed=self._sealed,
            files=self._files,
            share=self._share,
            code=code_of(self._settings) if separate else None,
            fingerprints=[self._seen[symbol].fingerprint for symbol in symbols] if self.executor.remote else None,
        )
        unfit = {**self._strangers, **{name: why for i in chunk for name, why in self._refusals.get(i, {}).items()}}
        try:
            future = self._send(job, unfit)
        except BrokenExecutor:
            self.executor.shutdown(wait=False)
            self.executor = open_executor(self._settings.work, len(self._symbols))
            future = self._send(job, unfit)
        if future is not None:
            self._running[future] = chunk
        elif unfit.keys() == self._strangers.keys():
            raise MarketsimError(f"{next(iter(unfit.values()))}; no worker is left")
        else:
            for i in chunk:
                why = next(iter(self._refusals[i].values()))
                self._finish(i, FinishedSymbol(self._symbols[i], Failure(DataError(f"{why}, and no worker has them"))))

    def _memory_of_each(self) -> int | None:
        """What each of several workers on this machine may take; None where there is one, or where all walks fit."""
        workers = min(self._settings.work.workers, len(self._symbols))
        several = self.executor.separate and not self.executor.remote and workers > 1
        return shares(workers) if several and self._settings.walk.simulations > MANY else None

    def _settings_elsewhere(self) -> Settings:
        """The settings for another process: absolute paths, and on a cluster no password."""
        settings = with_absolute_paths(self._settings)
        url = settings.cache_place.cache_url
        return settings.replace(cache_url=without_secret(url)) if self.executor.remote and url else settings

    def _send(self, job: Job, unfit: Collection[str]) -> Future[JobDone] | None:
        """Hand a job to a fit worker; None if there is none."""
        return self.executor.submit_to_others(unfit, work, job) if unfit else self.executor.submit(work, job)

    def _take(self, future: Future[JobDone], chunk: tuple[int, ...]) -> None:
        """Take the outcome of a job that has ended."""
        try:
            done = future.result()
        except MarketsimError:
            raise
        except ImportError as error:
            raise MarketsimError(f"a worker lacks what it needs: {error}") from error
        except CancelledError:
            raise MarketsimError("the executor gave up") from None
        except Exception as error:
            self._suspect(chunk, error)
            return
        if done.clock is not self._clock:
            self._clock.add(done.clock)
        for i, outcome in zip(chunk, done.symbols, strict=True):
            match outcome:
                case FinishedSymbol():
                    self._accept(i, outcome, done.worker)
                case Refused():
                    self._refuse(i, outcome, done.worker)

    def _accept(self, i: int, finished: FinishedSymbol, worker: str) -> None:
        """Take what a worker finished, if its model is that of the others."""
        match finished.outcome:
            case Success(files):
                self._model = self._model or files.model
                if files.model != self._model:
                    words = f"the model's weights on {worker} differ from those on the first worker"
                    if (given := self._settings.given.forecasts) is not None:
                        words = f"the forecasts in {given} on {worker} have changed since the run began"
                    self._refuse(i, Refused(words, code=True), worker)
                    return
                seen = self._seen.get(self._symbols[i], files.document.bars)  # by the names that they have here
                document = msgspec.structs.replace(files.document, bars=seen)
                finished = replace(finished, outcome=Success(replace(files, document=document)))
        refusals = self._refusals.pop(i, {}).values()
        finished = replace(finished, notes=(*finished.notes, *(f"{why}: another worker runs it" for why in refusals)))
        if self._directory is not None:
            with self._clock.stage("report/files"):
                self._directory.keep(finished)
        self._finish(i, finished)

    def _refuse(self, i: int, refused: Refused, worker: str) -> None:
        """Remember why a worker is not used, and try elsewhere."""
        (self._strangers if refused.code else self._refusals.setdefault(i, {}))[worker] = refused.why
        self._refused.append(i)

    def _suspect(self, chunk: tuple[int, ...], error: Exception) -> None:
        """Run the symbols of a job that crashed one by one, and those of a killed worker once more."""
        killed = isinstance(error, BrokenExecutor)
        if len(chunk) > 1 or (killed and chunk[0] not in self._tried):
            self._tried.update(chunk)
            self._suspects.extend(chunk)
            return
        symbol = self._symbols[chunk[0]]
        if killed:
            why = "its worker was killed twice"
        elif isinstance(error, MemoryError):
            why = "memory ran out: lower --sims, leave out --report, --plots and --output, or use fewer --workers"
        else:
            why = f"unexpected {type(error).__name__}: {error} (--debug shows where)"
        failure = MarketsimError(f"{symbol}: {why}")
        failure.__cause__ = error
        self._finish(chunk[0], FinishedSymbol(symbol, Failure(failure)))

    def _finish(self, i: int, finished: FinishedSymbol) -> None:
        self._finished[i] = finished
        self._report()

    def _report(self) -> None:
        if len(self._symbols) > 1:
            self._progress("symbols", self._turn + len(self._finished), len(self._symbols))


def with_absolute_paths(settings: Settings) -> Settings:
    """The settings with paths that do not depend on the working directory."""
    paths = {}
    if (data := settings.bars.data) is not None:
        paths["data"] = os.path.abspath(data) if os.path.exists(data) else absolute_place(data)
    if (given := settings.given.forecasts) is not None:
        paths["forecasts"] = absolute(given)
    if (fine := settings.bars.fine) is not None:
        paths["fine"] = ",".join(os.path.abspath(part) if os.path.exists(part) else part for part in fine.split(","))
    for key, path in (("cache_dir", settings.cache_place.cache_dir), ("store", settings.bars.store)):
        if path is not None:
            paths[key] = os.path.abspath(path)
    if (weights := settings.network.weights) is not None and os.path.isdir(weights):
        paths["weights"] = os.path.abspath(weights)
    return settings.replace(model=_absolute_model(settings.model), **paths)


def _absolute_model(model: str) -> str:
    """The model, or the members of an ensemble, with absolute paths of their files."""
    ensemble, _, members = model.partition(":")
    if ensemble in ENSEMBLES and members:
        return f"{ensemble}:{','.join(map(_absolute_model, members.split(',')))}"
    file, _, name = model.rpartition(":")
    return f"{os.path.abspath(file)}:{name}" if file.endswith(".py") and os.path.exists(file) else model
