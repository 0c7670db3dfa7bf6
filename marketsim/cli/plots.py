"""`--plots DIR`: the pictures of a backtest, drawn as its symbols finish, or of a saved one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from marketsim.cli import output
from marketsim.cli.output_files import make_folder
from marketsim.errors import MissingExtra, Success, UsageError

if TYPE_CHECKING:
    from marketsim.results.result import FinishedSymbol
    from marketsim.results.schema import SymbolDocument

SUFFIXES = (".png", ".svg")


class Plots:
    """The pictures that go into a folder; of no folder there are none.

    UsageError where the folder cannot be written, or holds pictures that nobody gave up; MissingExtra where nothing can
    draw.
    """

    def __init__(self, directory: str | None, overwrite: bool) -> None:
        self._count = 0
        self._directory = None if directory is None else make_folder("--plots", directory)
        if self._directory is not None:
            from importlib.util import find_spec

            if find_spec("matplotlib") is None:
                raise MissingExtra("--plots", "plots")
            there = [file.name for file in self._directory.iterdir() if file.suffix in SUFFIXES]
            if there and not overwrite:
                raise UsageError(f"--plots {directory}: {min(there)} already exists; --overwrite replaces pictures")

    @property
    def wanted(self) -> bool:
        """Whether there are any to draw."""
        return self._directory is not None

    def add(self, finished: FinishedSymbol) -> None:
        """Draw those of the next symbol, unless it failed."""
        match finished.outcome:
            case Success(files):
                self.draw(files.document, files.simulations, files.equity, files.charts)

    def draw(self, document: SymbolDocument, simulations: str, equity: str, charts: str) -> None:
        """Draw those of a symbol, from its rows as CSV and its charts as JSON."""
        if self._directory is None:
            return
        from marketsim.results.plots.pictures import draw
        from marketsim.results.plots.symbol_pictures import SymbolPictures

        self._count += len(draw(SymbolPictures.of(document, simulations, equity, charts), self._directory))

    def say(self) -> None:
        """Say which pictures were drawn, and where."""
        if self._directory is not None:
            output.notes([f"{self._count:,} pictures are in {self._directory}"])
