"""The file of a report: written completely or not at all, after the run or repeatedly during it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from msgspec import Struct, json

from marketsim.errors import MarketsimError, Success
from marketsim.results.code import code_digest
from marketsim.results.document import head
from marketsim.results.html.command import command_of
from marketsim.results.html.journal_section import JournalSection
from marketsim.results.html.page import Progress, ReportRun, ReportSymbol, environment, page
from marketsim.results.result import FinishedSymbol
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.results.timing import TimingDocument
from marketsim.results.walk_profits import DecidingProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.settings import Settings
from marketsim.whole_file import whole_file

SPOOLED = 1 << 23  # bytes of symbols held in memory
PATIENCE = 2.0  # seconds between two writings on the way, at least
SHARE = 10  # times as long as a writing took, there is none


class _Kept(Struct, frozen=True):
    document: SymbolDocument | FailedSymbol
    simulations: str
    equity: str
    charts: str


class ReportFile:
    """The report of a run in a file: `add` each symbol in its order, then `finish`.

    With `live` it is written anew as symbols are added, not so often that the run becomes slower by more than a tenth.
    MissingExtra without jinja2, before any work is done.
    """

    def __init__(self, path: Path, symbols: list[str], settings: Settings, live: bool = False) -> None:
        environment()
        self._path, self._symbols, self._settings, self._live = path, symbols, settings, live
        self._profits: dict[str, DecidingProfits] = {}  # for the answers on the way
        self._done = 0
        self._last: str | None = None  # bar of those that were added
        self._next = 0.0  # when it may be written again
        self._file = SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 -- closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, finished: FinishedSymbol) -> None:
        """The next symbol."""
        rows = ("", "", "")
        match finished.outcome:
            case Success(files):
                if self._live:
                    self._profits[files.document.symbol] = DecidingProfits.of(files.profits)
                rows = (files.simulations, files.equity, files.charts)
                self._last = max(self._last or "", files.document.bars.last)
        self._file.seek(0, 2)
        self._file.write(json.encode(_Kept(finished.document, *rows)) + b"\n")
        self._done += 1
        if self._live and self._done < len(self._symbols) and time.monotonic() >= self._next:
            self._write_on_the_way()

    def finish(self, timing: TimingDocument, whole: WholeRun, journal: JournalSection | None = None) -> None:
        """Put the whole page in place, with what became of sealed plans where that is given."""
        self._write(whole, timing, None, journal)

    def _write_on_the_way(self) -> None:
        began = time.monotonic()
        self._write(WholeRun.of(self._profits, self._settings.seed), None, Progress(self._done, len(self._symbols)))
        now = time.monotonic()
        self._next = now + max(PATIENCE, SHARE * (now - began))

    def _write(
        self,
        whole: WholeRun,
        timing: TimingDocument | None,
        progress: Progress | None,
        journal: JournalSection | None = None,
    ) -> None:
        command = command_of(self._symbols, self._settings, self._last)
        run = ReportRun(head(whole, self._settings), command, code_digest(), timing, progress, journal)
        write(self._path, page(run, lambda: self._judged(whole)))

    def _judged(self, whole: WholeRun) -> Iterator[ReportSymbol]:
        self._file.seek(0)
        decoder = json.Decoder(_Kept)
        for line in self._file:
            kept = decoder.decode(line)
            yield ReportSymbol(whole.judged(kept.document), kept.simulations, kept.equity, kept.charts)


def write(path: Path, parts: Iterator[str]) -> None:
    """Write a page, whole or not at all; MarketsimError where the disk does not take it."""
    try:
        with whole_file(path) as new, new.open("w", encoding="utf-8", newline="") as file:
            file.writelines(parts)
    except OSError as error:
        raise MarketsimError(f"cannot write {path}: {error.strerror or error}") from None
