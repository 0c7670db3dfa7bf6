"""`marketsim evening`."""

from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from msgspec import Struct

from marketsim.cli import options, output
from marketsim.cli.backtest import Told, names_of
from marketsim.cli.output_files import check_file
from marketsim.cli.plan import NO_ORDER
from marketsim.cli.score import WORSE

if TYPE_CHECKING:
    from marketsim.cli.evening_document import CheckedSymbol, EveningDocument, FetchedSymbol
    from marketsim.cli.journal_documents import SealingReport
    from marketsim.cli.sealing import PlansToSeal
    from marketsim.journal.score import Score
    from marketsim.journal.score_document import ScoreDocument
    from marketsim.results.html.journal_section import JournalSection
    from marketsim.results.planned_orders import PlannedOrders
    from marketsim.results.schema import SymbolDocument
    from marketsim.settings.settings import Settings


@options.takes(*options.GROUPS)
def evening(
    command: typer.Context,
    symbols: options.OptionalSymbols = None,
    symbols_file: options.SymbolsFile = None,
    capital: options.Capital = None,
    report: Annotated[
        str | None,
        typer.Option("--report", metavar="FILE", help="Write the evening as an HTML report, in one file."),
    ] = None,
    exit_code: Annotated[
        bool,
        typer.Option("--exit-code", help="Exit with 10 if there is no order, 11 if one is worse than promised."),
    ] = False,
    config: options.Config = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> int:
    """Fetch, check, plan, seal and score in one command.

    Symbols whose bars are in the store are fetched from where they came. What was sealed for a session is not sealed
    again. Exit codes: 0 done, 3 no bars or stale ones, 4 some symbols failed, 5 the journal is broken.
    """
    resolution = options.resolution_of(command)
    settings = resolution.settings
    if capital is not None and not 0 < capital < float("inf"):
        from marketsim.errors import UsageError

        raise UsageError(f"--capital: got {capital:g}, must be an amount above 0")
    if report is not None:
        check_file("--report", report, (".html", ".htm"), overwrite=True)  # of the evening before
    names = names_of(symbols or [], symbols_file, False, settings, "evening")

    from marketsim.cli.evening_fetch import fetch
    from marketsim.cli.sealing import PlansToSeal
    from marketsim.data.symbols import once_each

    names, repeated = once_each(names)
    output.notes(repeated)
    PlansToSeal(settings)  # a broken journal ends it before anything is fetched
    brought = fetch(names, settings, resolution.origins)
    to_seal = PlansToSeal(brought.settings)
    found = _run(names, brought.settings, to_seal, capital, report)
    document = _document(found, brought.rows, brought.settings)
    if json:
        output.document(document)
    else:
        from marketsim.cli.evening_screen import evening_screen

        evening_screen(document, found.planned.ticks)
    return _code(document, exit_code)


class _Scored(Struct, frozen=True):
    """The score of the sealed plans, in arrays and as a document."""

    score: "Score"
    document: "ScoreDocument"


class _Found(Struct, frozen=True):
    """The result of an evening."""

    bars: "list[CheckedSymbol]"
    planned: "PlannedOrders"
    sealed: "SealingReport"
    score: "ScoreDocument | None"
    told: Told


def _run(
    names: list[str], settings: "Settings", to_seal: "PlansToSeal", capital: float | None, report: str | None
) -> _Found:
    """Backtest, plan, seal and score."""
    from marketsim.backtesting import parallel
    from marketsim.profiling import Clock
    from marketsim.results.planned_orders import PlannedOrders
    from marketsim.results.schema import FailedSymbol
    from marketsim.results.sizing import COIN_LOT, STOCK_LOT, Sizing
    from marketsim.results.spooled_symbols import SpooledSymbols
    from marketsim.results.timing import timing_document

    told, planned, clock = Told(), PlannedOrders(), Clock()
    bars: list[CheckedSymbol] = []
    lots: dict[str, float] = {}
    with ExitStack() as stack:
        documents = stack.enter_context(SpooledSymbols(settings.seed))
        page, places = None, 0
        if report is not None:
            from marketsim.backtesting.charts import places_for
            from marketsim.results.html.report_file import ReportFile

            places = places_for(len(names))
            page = stack.enter_context(ReportFile(Path(report), names, settings))
        progress = stack.enter_context(output.progress())
        rows = page is not None
        walks = parallel.stream(
            names, settings, clock, None, progress, rows, True, places, sealed=to_seal.sealed_before()
        )
        with closing(walks) as stream:
            for finished in stream:
                told.add(finished)
                documents.add(finished)
                to_seal.add(finished)
                if page is not None:
                    page.add(finished)
        whole = documents.whole()
        for document in documents.judged(whole):
            planned.add(document)
            if not isinstance(document, FailedSymbol):
                bars.append(_checked(document))
                lots[document.symbol] = COIN_LOT if document.bars.crypto else STOCK_LOT
        told.raise_if_all_failed(len(names))
        output.notes(told.notes)
        if capital is not None:
            planned.size(Sizing(capital=capital, risk="equal", most=1.0, lots=lots))
        sealed = to_seal.seal(planned, whole, once=True)
        scored = _score([symbol_bars.symbol for symbol_bars in bars], settings, told)
        if page is not None:
            page.finish(timing_document(clock, len(names), told.seconds), whole, _section(scored))
    return _Found(bars, planned, sealed, None if scored is None else scored.document, told)


def _checked(document: "SymbolDocument") -> "CheckedSymbol":
    from marketsim.cli.evening_document import CheckedSymbol

    plan = document.plan[0]
    return CheckedSymbol(
        symbol=document.symbol,
        bars=document.bars.count,
        last=plan.after,
        gaps=document.bars.gaps,
        dropped=document.bars.dropped,
        session=plan.bar,
        over=plan.stale,
        decision=document.decision,
    )


def _score(symbols: list[str], settings: "Settings", told: Told) -> "_Scored | None":
    """The score of all plans of these symbols; None where none was ever sealed."""
    from marketsim.cli.score import score_document
    from marketsim.journal.journal import Journal
    from marketsim.journal.score import score
    from marketsim.journal.scored_bars import bars_of

    journal = Journal(settings.journal_place.journal)
    if not journal.path.exists():
        return None
    entries = journal.entries()
    own = [entry for entry in entries if entry.plan.symbol in symbols]
    if not own:
        return None
    dates = {"now": settings.bars.now, "end": settings.bars.end}
    found = score(own, bars_of(own, {key: value for key, value in dates.items() if value is not None}))
    told.errors += found.failed
    return _Scored(found, score_document(found, str(journal.path), entries, None, None))


def _section(scored: "_Scored | None") -> "JournalSection | None":
    from marketsim.journal.section import journal_section

    return None if scored is None else journal_section(scored.score, scored.document)


def _document(found: _Found, fetched: "list[FetchedSymbol]", settings: "Settings") -> "EveningDocument":
    from marketsim import __version__
    from marketsim.cli.evening_document import EveningDocument
    from marketsim.data.present import present

    return EveningDocument(
        marketsim=__version__,
        now=str(present(settings.bars.now)),
        fetched=fetched,
        bars=found.bars,
        orders=found.planned.orders,
        no_orders=found.planned.none,
        sealed=found.sealed,
        score=found.score,
        failed=[str(error) for error in found.told.errors],
    )


def _code(document: "EveningDocument", exit_code: bool) -> int:
    """The exit code; why it is not 0 is said."""
    for why in document.sealed.refused:
        output.fail(why)
    for why in document.failed:
        output.fail(why)
    nothing = not (document.sealed.entries or document.sealed.known)
    unfetched = any(row.error is not None for row in document.fetched)
    if document.sealed.refused and nothing:
        return 3
    if document.sealed.refused or document.failed or unfetched:
        return 4
    if not exit_code:
        return 0
    return NO_ORDER if not document.orders else WORSE if _worse(document) else 0


def _worse(document: "EveningDocument") -> bool:
    """Whether a strategy that has an order is worse than promised."""
    if document.score is None:
        return False
    placed = {(order.symbol, order.strategy) for order in document.orders}
    return any(row.turned is not None and (row.symbol, row.strategy) in placed for row in document.score.strategies)
