"""`marketsim backtest` and `marketsim fast`."""

from collections.abc import Callable, Generator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import backtest_screen, options, output, tables
from marketsim.cli.backtest_files import AskedFiles, BacktestFiles, opened
from marketsim.cli.plots import Plots
from marketsim.errors import Failure, MarketsimError, UsageError
from marketsim.settings.named_files import read_lines

if TYPE_CHECKING:
    from marketsim.cli.progress import Progress
    from marketsim.forecasting.sealed_forecasts import SealedForecasts
    from marketsim.results.result import FinishedSymbol
    from marketsim.settings.settings import Settings


@options.takes(*options.GROUPS)
def backtest(
    command: typer.Context,
    symbols: options.OptionalSymbols = None,
    symbols_file: options.SymbolsFile = None,
    all_symbols: Annotated[bool, typer.Option("--all", help="Run every symbol of the source.")] = False,
    config: options.Config = None,
    output_directory: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="Save the run in this folder, as JSON and CSV files."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the interrupted run in DIR.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing run, FILE and pictures.")] = False,
    report: Annotated[
        str | None,
        typer.Option("--report", metavar="FILE", help="Write the result as an HTML report, in one file."),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Rewrite FILE as symbols finish; the page reloads itself.")
    ] = False,
    plots: Annotated[
        str | None,
        typer.Option("--plots", metavar="DIR", help="Save the report's pictures in this folder, as PNG and SVG."),
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="Show all tables, not only the main one.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Explain each table in a line below it.")] = False,
    sealed: Annotated[
        bool, typer.Option("--sealed", help="Count bars whose forecast was sealed in the journal as clean.")
    ] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Backtest symbols walk-forward and plan the next bar.

    Says whether to trade, why, and what to place for the next bar; then what every strategy and baseline earned.
    """
    fixed = {"fast": True} if command.info_name == "fast" else {}
    settings = options.settings_of(command, **fixed)

    names = names_of(symbols or [], symbols_file, all_symbols, settings, "backtest")
    asked = AskedFiles(output_directory, report, plots, resume, overwrite, live)
    asked.check()
    pictures = Plots(plots, overwrite or resume)
    if sealed and resume:
        raise UsageError("--sealed and --resume: what a run kept was judged by the journal of another day")

    from marketsim.profiling import Clock, observer

    clock = observer() or Clock()
    with clock.stage("start-up/libraries"):
        from marketsim.backtesting.parallel import stream
        from marketsim.data.symbols import once_each
        from marketsim.results.document import head
        from marketsim.results.timing import timing_document

    names, repeated = once_each(names)
    output.notes(repeated)

    with opened(asked, pictures, names, settings, clock) as files:
        known = sealed_forecasts(settings) if sealed else None
        told = _run(
            lambda progress: stream(
                names,
                settings,
                clock,
                files.directory,
                progress,
                files.rows,
                places=files.places,
                sealed=known,
                drawn=pictures.wanted,
            ),
            files,
        )
        output.notes(told.notes)
        with clock.stage("report/document"):
            whole = files.symbols.whole()
        files.finish(whole, told.seconds)
        with clock.stage("report/print"):
            if json:
                output.symbols(head(whole, settings), files.symbols.judged(whole))
            elif len(told.errors) < len(names):
                judged = files.symbols.judged(whole)
                backtest_screen.show(judged, len(names), whole.pooled, whole.reality_check, full, explain)
    told.raise_if_all_failed(len(names))
    if not json:
        timing = timing_document(clock, len(names), told.seconds)
        (tables.timing if full else tables.timing_line)(timing)
        if not full:
            output.hint("`--full` shows all tables, ")
    if told.errors:
        output.fail(f"{len(told.errors)} of {len(names)} symbols failed")
        return 4
    return 0


def _run(
    started: "Callable[[Progress], Generator[FinishedSymbol]]",
    files: BacktestFiles,
) -> "Told":
    """Run all symbols, write them as they finish, and return the remarks and failures."""
    told = Told()
    with output.progress() as progress, closing(started(progress)) as stream:
        for finished in stream:
            told.add(finished)
            files.add(finished)
    return told


fast = options.without(backtest, "fast")
fast.__doc__ = "Run backtest with at most 35 simulations, the newest."


def sealed_forecasts(settings: "Settings") -> "SealedForecasts":
    """The forecasts in the journal, whose bars count as clean; DataError without a journal."""
    from marketsim.journal.journal import Journal

    return Journal(settings.journal_place.journal).sealed_forecasts()


class Told:
    """Remarks and failures of a run as it goes on, and the seconds that its symbols took."""

    def __init__(self) -> None:
        self.notes: dict[str, None] = {}
        self.errors: list[MarketsimError] = []
        self.seconds = 0.0

    def add(self, finished: "FinishedSymbol") -> None:
        """The next symbol."""
        self.notes |= dict.fromkeys(finished.notes)
        self.seconds += finished.seconds
        match finished.outcome:
            case Failure(error):
                self.errors.append(error)

    def raise_if_all_failed(self, count: int) -> None:
        """The last error of a run of which nothing is left; those before it are said."""
        if len(self.errors) == count:
            for error in self.errors[:-1]:
                output.fail(str(error))
            raise self.errors[-1]


def names_of(symbols: list[str], file: str | None, every: bool, settings: "Settings", command: str) -> list[str]:
    """The symbols to run, in order: those of the command line, then those of the file; or all of the source."""
    if every:
        if symbols or file is not None:
            raise UsageError("--all runs every symbol of the source: leave out SYMBOL and --symbols-file")

        from marketsim.backtesting.chosen_bars import open_bars

        return open_bars(settings.bars).symbols()
    names = [*symbols, *(_listed(file) if file is not None else ())]
    if not names:
        raise UsageError(
            f"nothing to run: give SYMBOL, --symbols-file FILE or --all (see 'marketsim {command} --help')"
        )
    return names


def _listed(path: str) -> list[str]:
    try:
        return read_lines(path)
    except (OSError, ValueError) as error:  # no text, or no path
        raise UsageError(f"--symbols-file {path}: {getattr(error, 'strerror', None) or 'not a text file'}") from None
