"""Documents of symbols that wait until all symbols of a run are there, for each is judged by what else was tried."""

from __future__ import annotations

from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Self

from msgspec import json

from marketsim.errors import Success
from marketsim.results.result import FinishedSymbol
from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.results.walk_profits import WalkProfits
from marketsim.results.whole_run import WholeRun

SPOOLED = 1 << 23  # bytes of documents held in memory


class SpooledSymbols:
    """The symbols of a run in their order: `add` each; `whole` is what they come to, by which all are `judged`."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._profits: dict[str, WalkProfits] = {}
        self._file = SpooledTemporaryFile(SPOOLED)  # noqa: SIM115 -- closed by __exit__

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def add(self, finished: FinishedSymbol) -> None:
        """The next symbol."""
        self._file.write(json.encode(finished.document) + b"\n")
        match finished.outcome:
            case Success(files):
                self._profits[files.document.symbol] = files.profits

    def whole(self) -> WholeRun:
        """What all of them come to."""
        return WholeRun.of(self._profits, self._seed)

    def judged(self, whole: WholeRun) -> Iterator[SymbolDocument | FailedSymbol]:
        """Their documents, with answers that count all that was tried."""
        self._file.seek(0)
        decoder = json.Decoder(SymbolDocument | FailedSymbol)
        for line in self._file:
            yield whole.judged(decoder.decode(line))
