"""`marketsim backtest` and `marketsim fast`."""

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated

import typer

from marketsim.cli import options, output, tables
from marketsim.cli.completion import symbols
from marketsim.errors import Failure, MarketsimError, Success, UsageError

if TYPE_CHECKING:
    from marketsim.results.result import FinishedSymbol
    from marketsim.results.schema import FailedSymbol, SymbolDocument
    from marketsim.settings.settings import Settings


@options.takes(*options.GROUPS)
def backtest(
    command: typer.Context,
    symbols: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SYMBOL...]", help="Such as ETHUSD, eth/usd or NVDA.", autocompletion=symbols),
    ] = None,
    symbols_file: Annotated[
        str | None,
        typer.Option("--symbols-file", metavar="FILE", help="File of symbols, one per line; # starts a comment."),
    ] = None,
    all_symbols: Annotated[bool, typer.Option("--all", help="Run every symbol of the source.")] = False,
    config: options.Config = None,
    output_directory: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="Save the run in this folder, as JSON and CSV files."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the interrupted run in DIR.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the finished run in DIR.")] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Backtest symbols walk-forward and plan the next bar.

    Shows profit, trades and risk of every strategy and baseline, the orders for the next bar, and where the time went.
    """
    fixed = {"fast": True} if command.info_name == "fast" else {}
    settings = options.settings_of(command, **fixed)

    names = _names(symbols or [], symbols_file, all_symbols, settings)
    for option, given in (("--resume", resume), ("--overwrite", overwrite)):
        if given and output_directory is None:
            raise UsageError(f"{option} needs --output DIR, the folder of the other run")

    from marketsim.profiling import Clock, observer

    clock = observer() or Clock()
    with clock.stage("start-up/libraries"):
        from marketsim.backtesting import parallel
        from marketsim.data.symbols import once_each
        from marketsim.results.document import without_symbols
        from marketsim.results.encoding import DocumentWriter
        from marketsim.results.timing import timing_document

    names, repeated = once_each(names)
    output.notes(repeated)

    summary = RunSummary(in_full=len(names) <= tables.FULL)
    directory = None
    with ExitStack() as stack:
        stack.callback(lambda: output.notes(directory.notes if directory is not None else ()))
        if output_directory is not None:
            from marketsim.results.run_directory import RunDirectory

            directory = RunDirectory(output_directory, settings, resume, overwrite)
            stack.enter_context(directory)
        spool = stack.enter_context(output.spool())
        writer = DocumentWriter(spool, without_symbols(settings)) if json else None
        with (
            output.progress() as progress,
            closing(parallel.stream(names, settings, clock, directory, progress)) as stream,
        ):
            for finished in stream:
                summary.add(finished)
                with clock.stage("report"):
                    if writer is not None:
                        writer.add(finished.document)
                    if directory is not None:
                        directory.add(finished)
        output.notes(summary.notes)
        if directory is not None:
            with clock.stage("report/files"):
                directory.finish(timing_document(clock, len(names), summary.seconds))
        with clock.stage("report/print"):
            if writer is not None:
                writer.end()
                output.copy(spool)
            elif len(summary.errors) < len(names):
                tables.backtest(summary.documents)
                output.mark(summary.look_ahead)
                tables.summary(summary.rows, summary.errors)
    if len(summary.errors) == len(names):
        for error in summary.errors[:-1]:
            output.fail(str(error))
        raise summary.errors[-1]
    if not json:
        tables.timing(timing_document(clock, len(names), summary.seconds))
    if summary.errors:
        output.fail(f"{len(summary.errors)} of {len(names)} symbols failed")
        return 4
    return 0


fast = options.without(backtest, "fast")
fast.__doc__ = "Run backtest with at most 35 simulations, the newest."


class RunSummary:
    """What is printed of a run when it is over: a row of each symbol, and all of it only where symbols are few."""

    def __init__(self, in_full: bool) -> None:
        self.documents: list[SymbolDocument | FailedSymbol] = []
        self.rows: list[tuple[str, ...]] = []
        self.notes: dict[str, None] = {}
        self.errors: list[MarketsimError] = []
        self.seconds = 0.0
        self.look_ahead = False  # whether a model was caught
        self._in_full = in_full

    def add(self, finished: "FinishedSymbol") -> None:
        """The next symbol."""
        document = finished.document
        if self._in_full:
            self.documents.append(document)
        self.rows.append(tables.summary_row(document, finished.seconds))
        self.notes |= dict.fromkeys(finished.notes)
        self.seconds += finished.seconds
        match finished.outcome:
            case Success(files):
                self.look_ahead |= files.document.model.look_ahead is not None
            case Failure(error):
                self.errors.append(error)


def _names(symbols: list[str], file: str | None, every: bool, settings: "Settings") -> list[str]:
    """The symbols to run, in order: those of the command line, then those of the file; or all of the source."""
    if every:
        if symbols or file is not None:
            raise UsageError("--all runs every symbol of the source: leave out SYMBOL and --symbols-file")

        from marketsim.backtesting.chosen_bars import open_bars

        return open_bars(settings.bars).symbols()
    names = [*symbols, *(_listed(file) if file is not None else ())]
    if not names:
        raise UsageError("nothing to run: give SYMBOL, --symbols-file FILE or --all (see 'marketsim backtest --help')")
    return names


def _listed(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.partition("#")[0].strip() for line in file]
    except (OSError, ValueError) as error:  # no text, or no path
        raise UsageError(f"--symbols-file {path}: {getattr(error, 'strerror', None) or 'not a text file'}") from None
    return [line for line in lines if line]
