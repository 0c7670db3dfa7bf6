"""Documents of symbols that wait for the rest of a run, because each answer counts everything that was tried."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import IO, Self

from msgspec import json

from marketsim.errors import Success
from marketsim.results.result import FinishedSymbol
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.results.walk_profits import DecidingProfits
from marketsim.results.whole_run import WholeRun

HELD = 32  # documents that are held as they are: to write and read them takes longer than a short run has


class SpooledSymbols:
    """The symbols of a run in their order: `add` each; `whole` is what they come to, by which all are `judged`."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._profits: dict[str, DecidingProfits] = {}
        self._held: list[SymbolDocument | FailedSymbol] = []
        self._file: IO[bytes] | None = None  # of those after them

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()

    def add(self, finished: FinishedSymbol) -> None:
        """The next symbol."""
        if len(self._held) < HELD:
            self._held.append(finished.document)
        else:
            self._spool(finished.document)
        match finished.outcome:
            case Success(files):
                self._profits[files.document.symbol] = DecidingProfits.of(files.profits)

    def _spool(self, document: SymbolDocument | FailedSymbol) -> None:
        if self._file is None:
            from tempfile import TemporaryFile  # a run of few symbols needs none

            self._file = TemporaryFile()  # noqa: SIM115 -- closed by __exit__
        self._file.write(json.encode(document) + b"\n")

    def whole(self) -> WholeRun:
        """What all of them come to."""
        return WholeRun.of(self._profits, self._seed)

    def judged(self, whole: WholeRun) -> Iterator[SymbolDocument | FailedSymbol]:
        """Their documents, with answers that count all that was tried."""
        yield from map(whole.judged, self._held)
        if self._file is None:
            return
        self._file.seek(0)
        decoder = json.Decoder(SymbolDocument | FailedSymbol)
        for line in self._file:
            yield whole.judged(decoder.decode(line))
