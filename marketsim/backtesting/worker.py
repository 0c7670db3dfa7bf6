"""The part of a run that is done elsewhere: some symbols, from plain values to plain values."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, replace

from marketsim import __version__
from marketsim.backtesting import pipeline
from marketsim.backtesting.pipeline import Progress, Tools
from marketsim.errors import Failure, MarketsimError, Success
from marketsim.forecasting.keys import fingerprint
from marketsim.profiling import Clock
from marketsim.results.document import equity_rows, simulation_rows, symbol_document
from marketsim.results.encoding import to_csv
from marketsim.results.result import FinishedSymbol, SymbolFiles, SymbolRun
from marketsim.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Job:
    """What a worker is told: plain values, from which it opens its own tools."""

    run: str  # tells runs apart in a process that outlives them
    settings: Settings
    symbols: tuple[str, ...]
    rows: bool  # whether the rows of the CSV files are wanted
    version: str = __version__


@dataclass(frozen=True, slots=True)
class JobDone:
    """What a worker tells back."""

    symbols: list[FinishedSymbol]
    clock: Clock  # where its time went


def silent(what: str, done: int, total: int) -> None:
    """The progress that nobody hears."""


class CurrentProcess(threading.local):
    """What a thread that works keeps from one job of a run to the next."""

    def __init__(self) -> None:
        self.run = ""
        self.tools: Tools | None = None
        self.clock: Clock | None = None  # of the run that is driven from this very thread
        self.progress: Progress = silent

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


current_process = CurrentProcess()


def work(job: Job) -> JobDone:
    """Do a job.

    MarketsimError for what is wrong with the run as a whole, such as a model without weights.
    """
    if job.version != __version__:
        raise MarketsimError(f"a worker runs marketsim {__version__}, not {job.version}: install the same everywhere")
    clock = current_process.clock or Clock()
    tools = current_process.open(job, clock)
    model = fingerprint(tools.model)
    done: list[FinishedSymbol] = []
    together, then = -_seconds_together(clock), time.perf_counter()
    for run in pipeline.stream(job.symbols, job.settings, tools, clock, current_process.progress):
        with clock.stage("report/document"):
            finished = finish(run, model, job.rows)
        now = time.perf_counter()
        if not done:  # all symbols were loaded and forecast before the first
            together += _seconds_together(clock)
            then += together
        done.append(replace(finished, seconds=max(0.0, now - then) + together / len(job.symbols)))
        then = now
    return JobDone(done, clock)


def finish(run: SymbolRun, model: str, rows: bool) -> FinishedSymbol:
    """A run in plain values, with its CSV `rows` if they are wanted; `model` is the fingerprint of the model named."""
    match run.outcome:
        case Success(result):
            simulations, equity = (to_csv(simulation_rows(result)), to_csv(equity_rows(result))) if rows else ("", "")
            files = SymbolFiles(symbol_document(result), simulations, equity, model)
            return FinishedSymbol(run.symbol, Success(files), run.notes)
        case Failure() as failure:
            return FinishedSymbol(run.symbol, failure, run.notes)


def _seconds_together(clock: Clock) -> float:
    return sum(clock.seconds.get(stage, 0.0) for stage in ("load", "cache", "forecast"))
