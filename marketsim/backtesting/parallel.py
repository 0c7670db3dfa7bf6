"""Backtests of many symbols by an executor, returned in the order given."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import TYPE_CHECKING

from marketsim.backtesting.chosen_bars import load, open_bars
from marketsim.backtesting.dispatcher import Dispatcher
from marketsim.backtesting.pipeline import Progress
from marketsim.backtesting.worker import current_process, silent
from marketsim.errors import MarketsimError, Success
from marketsim.forecasting.keys import fingerprint
from marketsim.models import chosen_model
from marketsim.profiling import Clock
from marketsim.results.document import bars_facts
from marketsim.results.result import FinishedSymbol, SymbolFiles
from marketsim.settings.settings import Settings

if TYPE_CHECKING:
    from marketsim.forecasting.sealed_forecasts import SealedForecasts
    from marketsim.results.run_directory import RunDirectory


def stream(
    symbols: Sequence[str],
    settings: Settings,
    clock: Clock,
    directory: RunDirectory | None = None,
    progress: Progress = silent,
    rows: bool = False,
    basis: bool = False,
    places: int = 0,
    sealed: SealedForecasts | None = None,
    drawn: bool = False,
) -> Generator[FinishedSymbol]:
    """Every symbol's outcome in the order given, by the executor that the settings name.

    Each is kept in `directory` as soon as it is there, and what that has kept already is not run again where its bars
    and its model are the same. A symbol whose worker is killed is tried once more, alone. MarketsimError where the run
    as a whole cannot be done. A stream that is closed early ends its workers. `rows` asks for the CSV files' rows,
    which a directory always gets; `basis` for what the plans rest on; `places` for the pictures of a report, whose
    surfaces have so many along a multiplier; `drawn` counts the memory that drawing them takes. Bars whose forecast is
    among the `sealed` ones are clean.
    """
    rows = rows or directory is not None
    kept = _kept_by(directory, settings, pictures=places > 0)
    dispatcher = Dispatcher(symbols, settings, clock, directory, progress, kept, rows, basis, places, sealed, drawn)
    current_process.clock, current_process.progress = clock, progress
    try:
        while not dispatcher.over:
            dispatcher.advance()
            yield from dispatcher.due()
        dispatcher.executor.shutdown()
    except BaseException:
        dispatcher.executor.shutdown(wait=False)
        raise
    finally:
        current_process.clock, current_process.progress = None, silent
        current_process.close()


def _kept_by(
    directory: RunDirectory | None, settings: Settings, pictures: bool
) -> Callable[[str], FinishedSymbol | None]:
    """What the directory kept of a symbol, unless its bars or the model are others by now."""
    if directory is None or not directory.resumed:
        return lambda symbol: None
    source = open_bars(settings.bars)
    model = fingerprint(chosen_model(settings))

    def holds(files: SymbolFiles, symbol: str) -> bool:
        try:
            bars = load(symbol, settings.bars, source)
        except MarketsimError:
            return False
        stale = bars.is_past(bars.next_opens(1)[0])
        same = files.model == model and files.document.bars == bars_facts(bars)
        return same and all(plan.stale == stale for plan in files.document.plan)

    def find(symbol: str) -> FinishedSymbol | None:
        found = directory.find(symbol)
        if found is None:
            return None
        match found.outcome:
            case Success(files) if pictures and not files.charts:
                directory.notes.append(f"{symbol}: its saved result has no pictures; it is run again")
                return None
            case Success(files) if holds(files, symbol):
                return found
        directory.notes.append(f"{symbol}: its bars or the model changed; it is run again")
        return None

    return find
