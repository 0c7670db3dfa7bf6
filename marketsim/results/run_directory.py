"""The files of a backtest: finished symbols are saved at once, and the files appear complete at the end."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from types import TracebackType
from typing import IO, Self

from marketsim.data.symbols import parse_symbol, part_place
from marketsim.errors import DataError, Success, UsageError
from marketsim.results.document import deciding, head
from marketsim.results.encoding import DocumentWriter, to_json
from marketsim.results.manifest import Unfinished
from marketsim.results.output_directory import OutputDirectory
from marketsim.results.result import FinishedSymbol, SymbolFiles
from marketsim.results.rows import Row
from marketsim.results.schema import SymbolDocument
from marketsim.results.sealed import Blake2b, digest, seal, unseal
from marketsim.results.spooled_symbols import SpooledSymbols
from marketsim.results.timing import TimingDocument
from marketsim.results.walk_profits import WalkProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.settings import Settings

RESULTS, SIMULATIONS, EQUITY = "results.json", "simulations.csv", "equity.csv"
FILES = (RESULTS, SIMULATIONS, EQUITY)
TIMING = "timing.json"  # apart from them: it is never twice the same


class KeptSymbol(Row, frozen=True, tag_field="schema", tag="marketsim.part/1"):
    """A finished symbol on the disk."""

    run: Blake2b  # of what all parts of the run have in common
    document: SymbolDocument
    simulations: str
    equity: str
    model: str
    profits: WalkProfits
    charts: str
    notes: tuple[str, ...]
    seconds: float

    def __post_init__(self) -> None:
        """ValueError for a document that contradicts itself, or profits of other strategies than its own."""
        if (why := self.document.contradiction()) is not None:
            raise ValueError(why)
        if [*self.profits.deciding] != [row.name for row in self.document.rows if row.kind == "strategy"]:
            raise ValueError("its profits are of other strategies than its document")


class RunDirectory(OutputDirectory):
    """The files of one backtest in `directory`.

    `keep` puts a finished symbol on the disk at once, in a file of its own; `add` takes the symbols again, in their
    order, into the final files, which `finish` puts in place, all of them or none. A run that ends before that leaves
    what it kept, for one with `resume` to go on from.
    """

    def __init__(self, directory: str, settings: Settings, resume: bool = False, overwrite: bool = False) -> None:
        run = Unfinished.now("backtest", deciding(settings))
        super().__init__(directory, run, (*FILES, TIMING), resume, overwrite)
        self._run = digest(seal(run))
        self._settings = settings
        self.symbols = SpooledSymbols(settings.seed)  # those that were added
        self._files = ExitStack()
        self._headed = False

    def __enter__(self) -> Self:
        super().__enter__()
        with ExitStack() as files:
            try:
                self._results, self._simulations, self._equity = (self._open(name, files) for name in FILES)
            except OSError as error:
                self.__exit__(None, None, None)
                raise UsageError(f"--output {self.path}: cannot write there: {error.strerror or error}") from None
            self._files = files.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the directory; of a run that is not over the parts stay, and are spoken of."""
        with self.symbols, suppress(OSError):  # a disk that is full
            self._files.close()
        super().__exit__(kind, value, trace)

    def find(self, symbol: str) -> FinishedSymbol | None:
        """What an earlier run kept of `symbol`; None where it kept nothing. A note where that is damaged."""
        try:
            name = parse_symbol(part_place(symbol)[0])
        except DataError:
            return None
        sealed = self.read_part(name)
        if sealed is None:
            return None
        try:
            kept = unseal(sealed, KeptSymbol)
            if (kept.run, kept.document.symbol) != (self._run, name):
                raise ValueError("it is another run's or another symbol's")
        except (ValueError, RecursionError) as error:
            self.notes.append(f"{symbol}: its saved result is damaged ({error}); it is run again")
            return None
        files = SymbolFiles(kept.document, kept.simulations, kept.equity, kept.model, kept.profits, kept.charts)
        return FinishedSymbol(symbol, Success(files), kept.notes, kept.seconds)

    def keep(self, finished: FinishedSymbol) -> None:
        """Put a finished symbol on the disk, whole or not at all; one that failed is to be tried again instead."""
        match finished.outcome:
            case Success(files):
                kept = KeptSymbol(
                    run=self._run,
                    document=files.document,
                    simulations=files.simulations,
                    equity=files.equity,
                    model=files.model,
                    profits=files.profits,
                    charts=files.charts,
                    notes=finished.notes,
                    seconds=finished.seconds,
                )
                self.keep_part(files.document.symbol, seal(kept))

    def add(self, finished: FinishedSymbol) -> None:
        """The next symbol of the final files."""
        with self.writing():
            self.symbols.add(finished)
            match finished.outcome:
                case Success(files):
                    for file, text in ((self._simulations, files.simulations), (self._equity, files.equity)):
                        file.write(text.partition("\n")[2] if self._headed else text)
                    self._headed = True

    def finish(self, timing: TimingDocument, whole: WholeRun | None = None) -> None:
        """Put the final files in place, and `timing.json` beside them; nothing else is left.

        `whole` is what the symbols come to together, where that is known already.
        """
        found = self.symbols.whole() if whole is None else whole
        with self.writing():
            document = DocumentWriter(self._results, head(found, self._settings))
            for symbol in self.symbols.judged(found):
                document.add(symbol)
            document.end()
            self._files.close()
        self.stage(TIMING, to_json(timing))
        self.publish()

    def _open(self, name: str, files: ExitStack) -> IO[str]:
        return files.enter_context(open(self.staging / name, "w", encoding="utf-8", newline=""))
