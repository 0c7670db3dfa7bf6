"""The pictures of a saved run: its symbols are run again, mostly from the forecast cache."""

from __future__ import annotations

from marketsim.backtesting import pipeline
from marketsim.backtesting.charts import charts_of
from marketsim.backtesting.pipeline import Tools
from marketsim.errors import DataError, Failure, MarketsimError, Outcome, Success, value_of
from marketsim.profiling import Clock
from marketsim.results.document import symbol_document
from marketsim.results.schema import SymbolDocument
from marketsim.settings.settings import Settings


def charts_again(
    document: SymbolDocument, settings: Settings, tools: Tools, places: int, progress: pipeline.Progress
) -> Outcome[str]:
    """The pictures of a symbol whose result is known; a failure where it does not come out the same again.

    Bars that came later are left out.
    """
    if settings.bars.end is None:
        settings = settings.replace(end=document.bars.last)
    try:
        (run,) = pipeline.stream([document.symbol], settings, tools, Clock(), progress)
        result = value_of(run.outcome)
        if (why := _difference(document, symbol_document(result))) is not None:
            raise DataError(f"{document.symbol}: {why}")
        return Success(charts_of(result, settings, tools.cache, places))
    except MarketsimError as error:
        return Failure(error)


def _difference(before: SymbolDocument, now: SymbolDocument) -> str | None:
    """In what a result differs from the one before, in words; whether its plan is still of use does not count."""
    for what, those, then, again in (
        ("its bars differ", "those", before.bars.fingerprint, now.bars.fingerprint),
        ("its model differs", "that", before.model.fingerprint, now.model.fingerprint),
        ("its result differs", "that", before.rows, now.rows),
    ):
        if then != again:
            return f"{what} from {those} of the run"
    return None
