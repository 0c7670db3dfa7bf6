"""`marketsim backtest` and `marketsim fast`."""

from contextlib import ExitStack, closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from marketsim.cli import options, output, tables
from marketsim.errors import MarketsimError, UsageError

if TYPE_CHECKING:
    from marketsim.results.result import Finished
    from marketsim.settings.settings import Settings


@options.takes(*options.GROUPS)
def backtest(
    command: typer.Context,
    symbols: Annotated[
        list[str] | None, typer.Argument(metavar="[SYMBOL...]", help="Such as ETHUSD, eth/usd or NVDA.")
    ] = None,
    symbols_file: Annotated[
        str | None, typer.Option("--symbols-file", metavar="FILE", help="Symbols too, one a line; # begins a remark.")
    ] = None,
    all_symbols: Annotated[bool, typer.Option("--all", help="Every symbol of the source.")] = False,
    config: options.Config = None,
    output_directory: Annotated[
        str | None,
        typer.Option("--output", metavar="DIR", help="Write results.json, CSV and timing.json there."),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with what an interrupted run left in DIR.")] = False,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Walk forward over each symbol's newest bars: profit, the next bar's plan, where the time went."""
    fixed = {"fast": True} if command.info_name == "fast" else {}
    settings = options.settings_of(command, **fixed)

    names = _names(symbols or [], symbols_file, all_symbols, settings)
    if resume and output_directory is None:
        raise UsageError("--resume needs the --output DIR of the run that was interrupted")

    from marketsim.profiling import Clock, observer

    clock = observer() or Clock()
    with clock.stage("start-up/libraries"):
        from marketsim.backtesting import parallel
        from marketsim.results import document as report
        from marketsim.results.run_directory import DocumentWriter, Folder

    heard = _Heard(full=len(names) <= tables.FULL)
    folder = None
    with ExitStack() as stack:
        stack.callback(lambda: output.notes(folder.notes if folder is not None else ()))
        if output_directory is not None:
            folder = stack.enter_context(Folder(output_directory, settings, resume))
        spool = stack.enter_context(output.spool())
        writer = DocumentWriter(spool, settings) if json else None
        with (
            output.progress() as progress,
            closing(parallel.stream(names, settings, clock, folder, progress)) as stream,
        ):
            for finished in stream:
                heard.add(finished)
                with clock.stage("report"):
                    if writer is not None:
                        writer.add(finished.document)
                    if folder is not None:
                        folder.add(finished)
        output.notes(heard.notes)
        if folder is not None:
            with clock.stage("report/files"):
                folder.close(report.timing(clock, len(names), heard.seconds))
        with clock.stage("report/print"):
            if writer is not None:
                writer.end()
                output.copy(spool)
            elif heard.error is None or len(heard.failures) < len(names):
                tables.backtest({"symbols": heard.documents})
                tables.summary(heard.rows, heard.failures)
    if heard.error is not None and len(heard.failures) == len(names):
        for failure in heard.failures[:-1]:
            output.fail(failure)
        raise heard.error
    if not json:
        tables.timing(report.timing(clock, len(names), heard.seconds))
    if heard.failures:
        output.fail(f"{len(heard.failures)} of {len(names)} symbols failed")
        return 4
    return 0


fast = options.without(backtest, "fast")


class _Heard:
    """What is said of a run when it is over: little of each symbol, all of it only where symbols are few."""

    def __init__(self, full: bool) -> None:
        self.documents: list[dict[str, Any]] = []
        self.rows: list[tuple[str, ...]] = []
        self.notes: dict[str, None] = {}
        self.failures: list[str] = []
        self.error: MarketsimError | None = None  # the last one
        self.seconds = 0.0
        self._full = full

    def add(self, finished: "Finished") -> None:
        if self._full:
            self.documents.append(finished.document)
        self.rows.append(tables.summary_row(finished.document, finished.seconds))
        self.notes |= dict.fromkeys(finished.notes)
        self.seconds += finished.seconds
        if finished.error is not None:
            self.error = finished.error
            self.failures.append(str(finished.error))


def _names(symbols: list[str], file: str | None, every: bool, settings: "Settings") -> list[str]:
    """The symbols to run, in order: those of the command line, then those of the file; or all of the source."""
    if every:
        if symbols or file is not None:
            raise UsageError("--all is every symbol of the source: give no SYMBOL and no --symbols-file beside it")

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
