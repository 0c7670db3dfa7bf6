"""The audit of symbols by name, as the command runs it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from marketsim import __version__
from marketsim.auditing.chain import Chain, first_cut
from marketsim.auditing.companion import companion
from marketsim.auditing.document import audited_model, audited_symbol
from marketsim.auditing.other_processes import in_other_processes
from marketsim.auditing.remembered import remember
from marketsim.auditing.schema import AuditDocument, AuditedSymbol
from marketsim.auditing.symbol_audit import Elsewhere, Progress, SymbolAudit, audit_symbol
from marketsim.backtesting import pipeline
from marketsim.backtesting.chosen_bars import load
from marketsim.data import Source
from marketsim.data.bars import Bars
from marketsim.data.present import present
from marketsim.errors import DataError, Failure, MarketsimError, Outcome, Success
from marketsim.forecasting.audit_records import open_records
from marketsim.forecasting.ensembles import Composite, members_of
from marketsim.forecasting.protocols import Model, comes_from_outside
from marketsim.models.own import is_identified
from marketsim.profiling import Clock
from marketsim.results.code import libraries
from marketsim.results.document import deciding
from marketsim.results.schema import FailedSymbol
from marketsim.settings.choices import STORE
from marketsim.settings.settings import Settings


def audit(
    symbols: Sequence[str],
    settings: Settings,
    cuts: int,
    progress: Progress = lambda what, done, total: None,
    source: Source | None = None,
    model: Model | Composite | None = None,
    processes: bool = True,
) -> tuple[AuditDocument, list[str], list[MarketsimError]]:
    """The document of an audit of a model on each of the symbols, remarks for stderr, and why some of them have none.

    After each of `cuts` origins the future is changed. Nothing is read from the forecast cache. `source` and `model`
    take the place of those that the settings name. One of the checks starts other processes, which cannot open these;
    it is left out without `processes`.
    """
    records = open_records(settings.cache_place, settings.cache)
    settings = settings.replace(cache="off", now=str(present(settings.bars.now)))
    tools = pipeline.open_tools(settings, Clock(), source, model)
    rows: list[AuditedSymbol | FailedSymbol] = []
    notes: list[str] = []
    errors: list[MarketsimError] = []
    for symbol in symbols:
        match _symbol(symbol, settings, tools, cuts, processes, progress):
            case Success(found):
                rows.append(audited_symbol(found, len(found.audited.cuts(cuts))))
                notes += (*found.audited.bars.notes, *found.audited.forecasts.notes)
            case Failure(error):
                errors.append(error)
                rows.append(FailedSymbol.of(symbol, error))
    document = AuditDocument(
        marketsim=__version__,
        settings=deciding(settings),
        libraries=libraries(),
        model=audited_model(tools.model),
        passed=all(isinstance(row, AuditedSymbol) and row.passed for row in rows),
        symbols=rows,
    )
    outside = any(map(comes_from_outside, (tools.model, *members_of(tools.model))))
    if records is not None and outside and is_identified(tools.model):
        remember([row for row in rows if isinstance(row, AuditedSymbol)], document.model, records)
    return document, notes, errors


def _symbol(
    symbol: str, settings: Settings, tools: pipeline.Tools, cuts: int, processes: bool, progress: Progress
) -> Outcome[SymbolAudit]:
    try:
        bars = load(symbol, settings.bars, tools.source)
        walk = pipeline.walk_over(bars, settings.walk, tools.model)
        if first_cut(walk) >= walk.origins[-1]:
            raise DataError(f"{bars.symbol}: 1 simulation has no earlier one to compare with: --sims 2 or more")
        beside = companion(bars, settings.bars, tools.source, settings.seed)
        elsewhere = _elsewhere(settings, symbol, beside) if processes else None
        chain = Chain(tools, settings)
        return Success(audit_symbol(chain, bars, walk, beside, cuts, settings.seed, elsewhere, progress))
    except MarketsimError as error:
        return Failure(error)


def _elsewhere(settings: Settings, symbol: str, beside: Bars) -> Elsewhere:
    """The check in other processes, which find in the store what was fetched."""
    there = settings if settings.bars.fetch is None else settings.replace(fetch=None, source=STORE)
    return partial(in_other_processes, settings=there, symbol=symbol, beside=beside)
