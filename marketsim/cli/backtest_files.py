"""The files of a backtest: its directory, its page and its pictures."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from marketsim.cli import output
from marketsim.cli.output_files import check_file
from marketsim.cli.plots import Plots
from marketsim.errors import UsageError

if TYPE_CHECKING:
    from marketsim.profiling import Clock
    from marketsim.results.html.report_file import ReportFile
    from marketsim.results.result import FinishedSymbol
    from marketsim.results.run_directory import RunDirectory
    from marketsim.results.spooled_symbols import SpooledSymbols
    from marketsim.results.whole_run import WholeRun
    from marketsim.settings.settings import Settings


class AskedFiles(Struct, frozen=True):
    """The files that a command line asks for."""

    directory: str | None
    report: str | None
    plots: str | None
    resume: bool
    overwrite: bool
    live: bool

    def check(self) -> None:
        """UsageError where options are of no use together, or the page could not be written."""
        if self.resume and self.directory is None:
            raise UsageError("--resume needs --output DIR, the folder of the other run")
        if self.overwrite and (self.directory, self.report, self.plots) == (None, None, None):
            raise UsageError("--overwrite needs --output DIR, --report FILE or --plots DIR, what it replaces")
        if self.live and self.report is None:
            raise UsageError("--live needs --report FILE, the page that is written as symbols finish")
        if self.report is not None:
            check_file("--report", self.report, (".html", ".htm"), self.overwrite or self.resume)


class BacktestFiles:
    """The requested output files, filled as symbols finish."""

    def __init__(self, asked: AskedFiles, pictures: Plots, count: int, clock: "Clock") -> None:
        """`count` is that of the symbols."""
        self.directory: RunDirectory | None = None
        self.page: ReportFile | None = None
        self.symbols: SpooledSymbols  # all that were added, until the files are closed
        self._count = count
        self._clock = clock
        self._pictures = pictures
        self.rows = asked.report is not None or pictures.wanted  # whether simulations and equity are needed
        self.places = 0  # of the objective's pictures, at most
        if self.rows:
            from marketsim.backtesting.charts import places_for

            self.places = places_for(count)

    def add(self, finished: "FinishedSymbol") -> None:
        """The next symbol."""
        with self._clock.stage("report"):
            (self.symbols if self.directory is None else self.directory).add(finished)
            if self.page is not None:
                self.page.add(finished)
        if self._pictures.wanted:
            with self._clock.stage("report/pictures"):
                self._pictures.add(finished)

    def finish(self, whole: "WholeRun", seconds: float) -> None:
        """All symbols are there, which took so many seconds."""
        from marketsim.results.timing import timing_document

        self._pictures.say()
        if self.directory is not None:
            with self._clock.stage("report/files"):
                self.directory.finish(timing_document(self._clock, self._count, seconds), whole)
        if self.page is not None:
            with self._clock.stage("report/page"):
                self.page.finish(timing_document(self._clock, self._count, seconds), whole)


@contextmanager
def opened(
    asked: AskedFiles, pictures: Plots, names: list[str], settings: "Settings", clock: "Clock"
) -> Iterator[BacktestFiles]:
    """The files of a run of these symbols; what the directory has to say is said when all are closed."""
    files = BacktestFiles(asked, pictures, len(names), clock)
    with ExitStack() as stack:
        stack.callback(lambda: output.notes(files.directory.notes if files.directory is not None else ()))
        if asked.directory is not None:
            from marketsim.results.run_directory import RunDirectory

            directory = RunDirectory(asked.directory, settings, asked.resume, asked.overwrite)
            files.directory = stack.enter_context(directory)
            files.symbols = directory.symbols
        else:
            from marketsim.results.spooled_symbols import SpooledSymbols

            files.symbols = stack.enter_context(SpooledSymbols(settings.seed))
        if asked.report is not None:
            from marketsim.results.html.report_file import ReportFile

            files.page = stack.enter_context(ReportFile(Path(asked.report), names, settings, asked.live))
        yield files
