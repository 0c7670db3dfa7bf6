"""Jobs: some symbols of a run, computed by a worker; plain values in, plain values out."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from marketsim import __version__
from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import load
from marketsim.backtesting.executors import worker_name
from marketsim.backtesting.pipeline import Progress, Tools
from marketsim.backtesting.shared_models import SharedModel, shared_model
from marketsim.errors import Failure, MarketsimError, Success
from marketsim.forecasting.keys import fingerprint
from marketsim.profiling import Clock
from marketsim.results.document import equity_rows, simulation_rows, symbol_document, walk_profits
from marketsim.results.encoding import to_csv
from marketsim.results.plan_basis import basis_of
from marketsim.results.plugins import code_of
from marketsim.results.result import FinishedSymbol, SymbolFiles, SymbolRun
from marketsim.settings.database_url import with_own_password
from marketsim.settings.settings import Settings

if TYPE_CHECKING:
    from marketsim.forecasting.sealed_forecasts import SealedForecasts


LONG = 1_000  # simulations of a run that is worth preparing for


class Job(Struct, frozen=True):
    """Some symbols and their settings, in plain values; the worker opens model, cache and bars itself."""

    run: str  # tells runs apart in a process that outlives them
    settings: Settings
    symbols: tuple[str, ...]
    rows: bool  # whether the rows of the CSV files are wanted
    basis: bool  # whether that is wanted which plans rest on
    code: str | None  # digest of the sources that the worker must have too; None in the very process
    fingerprints: Sequence[str] | None  # of the symbols' bars; None where a worker cannot but see the same
    version: str = __version__
    sealed: SealedForecasts | None = None  # those of a journal, where it was asked
    places: int = 0  # of the surfaces of a report, along a multiplier; 0: no report is wanted
    files: int = 0  # bytes that a simulation takes for the files that are wanted of it
    share: int | None = None  # bytes of memory that each worker may take, where several share it


class Refused(Struct, frozen=True):
    """A symbol that this worker would compute by other code or on other bars than were meant."""

    why: str
    code: bool  # whether it is the code, which is the same for every symbol


class JobDone(Struct, frozen=True):
    """The results of a job's symbols, in their order."""

    worker: str
    symbols: list[FinishedSymbol | Refused]
    clock: Clock  # where its time went


def silent(what: str, done: int, total: int) -> None:
    """Show no progress."""


class CurrentProcess(threading.local):
    """What a worker's thread keeps open between the jobs of one run."""

    def __init__(self) -> None:
        self.run = ""
        self.tools: Tools | None = None
        self.model: SharedModel | None = None  # of the tools, held for as long as they are
        self.clock: Clock | None = None  # of the run that is driven from this very thread
        self.progress: Progress = silent

    def open(self, job: Job, clock: Clock) -> Tools:
        """The tools of the job's run; its model is the same for all threads of the process."""
        if self.tools is None or self.run != job.run:
            self.close()
            settings, url = job.settings, job.settings.cache_place.cache_url
            if url is not None:
                settings = settings.replace(cache_url=with_own_password(url))
            with clock.stage("forecast/load"):
                self.model = shared_model(job.run, settings)
            self.run, self.tools = job.run, pipeline.open_tools(settings, clock, model=self.model.model)
        return self.tools

    def close(self) -> None:
        """Let go of the tools."""
        if self.tools is not None and self.tools.cache is not None:
            self.tools.cache.close()
        self.tools = self.model = None


current_process = CurrentProcess()


def work(job: Job) -> JobDone:
    """Do a job.

    MarketsimError for what is wrong with the run as a whole, such as a model without weights.
    """
    if job.version != __version__:
        raise MarketsimError(
            f"a worker runs marketsim {__version__}, not {job.version}: install the same version everywhere"
        )
    if len(job.symbols) > 1 or job.settings.walk.simulations > LONG:
        from marketsim.backtesting.allocator import keep_memory  # a short run ends before it pays

        keep_memory()
    worker = worker_name.get()
    if job.code is not None and job.code != code_of(job.settings):
        other = Refused(f"the code of marketsim {__version__} on {worker} differs: install the same version", code=True)
        return JobDone(worker, [other] * len(job.symbols), Clock())
    clock = current_process.clock or Clock()
    tools = current_process.open(job, clock)
    tools = replace(tools, sealed=job.sealed, files=job.files, share=job.share)
    model = fingerprint(tools.model)
    done: list[FinishedSymbol | Refused] = []
    together, then = -_seconds_together(clock), time.perf_counter()
    runs = pipeline.stream(job.symbols, job.settings, tools, clock, current_process.progress)
    for symbol, meant, run in zip(job.symbols, _meant(job), runs, strict=True):
        with clock.stage("report/document"):
            finished = finish(run, model, job.rows, job.basis, _charts(run, job, tools))
        now = time.perf_counter()
        if not done:  # all symbols were loaded and forecast before the first
            together += _seconds_together(clock)
            then += together
        seconds = max(0.0, now - then) + together / len(job.symbols)
        then = now
        if meant is not None and _fingerprint(run, symbol, job, tools) != meant:
            done.append(Refused(f"{symbol}: its bars on {worker} differ", code=False))
        else:
            done.append(replace(finished, seconds=seconds))
    return JobDone(worker, done, clock)


def _meant(job: Job) -> Sequence[str | None]:
    """The fingerprints that the symbols' bars must have, where that is to be checked."""
    return [None] * len(job.symbols) if job.fingerprints is None else job.fingerprints


def _fingerprint(run: SymbolRun, symbol: str, job: Job, tools: Tools) -> str | None:
    """Of the bars that a symbol was run on here; None where it has none."""
    match run.outcome:
        case Success(result):
            return result.bars.fingerprint
        case Failure():
            try:
                return load(symbol, job.settings.bars, tools.source).fingerprint
            except MarketsimError:
                return None


def _charts(run: SymbolRun, job: Job, tools: Tools) -> str:
    """The pictures of a report, where one is wanted."""
    if not job.places or not isinstance(run.outcome, Success):
        return ""
    from marketsim.backtesting.charts import charts_of

    return charts_of(run.outcome.value, job.settings, tools.cache, job.places)


def finish(run: SymbolRun, model: str, rows: bool, basis: bool = False, charts: str = "") -> FinishedSymbol:
    """A run in plain values; `model` is the fingerprint of the model named.

    With its CSV `rows`, the `basis` of its plan and the `charts` of a report, if they are wanted.
    """
    match run.outcome:
        case Success(result):
            simulations, equity = (to_csv(simulation_rows(result)), to_csv(equity_rows(result))) if rows else ("", "")
            foundation = basis_of(result.bars, result.forecasts) if basis else None
            document, profits = symbol_document(result), walk_profits(result)
            files = SymbolFiles(document, simulations, equity, model, profits, charts, basis=foundation)
            return FinishedSymbol(run.symbol, Success(files), run.notes)
        case Failure() as failure:
            return FinishedSymbol(run.symbol, failure, run.notes)


def _seconds_together(clock: Clock) -> float:
    return sum(clock.seconds.get(stage, 0.0) for stage in ("load", "cache", "forecast"))
