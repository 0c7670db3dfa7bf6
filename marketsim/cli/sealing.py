"""`marketsim plan --seal`: adds the plans of a run to the journal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from marketsim.cli import output
from marketsim.cli.journal_documents import SealedEntry, SealingReport
from marketsim.errors import DataError, Success
from marketsim.forecasting.sealed_forecasts import SealedForecasts
from marketsim.journal.journal import Appended, Journal
from marketsim.journal.sealing import plans_of

if TYPE_CHECKING:
    from marketsim.journal.entry import Sealed, SealedPlan
    from marketsim.results.planned_orders import PlannedOrders
    from marketsim.results.result import FinishedSymbol, SymbolFiles
    from marketsim.results.whole_run import WholeRun
    from marketsim.settings.settings import Settings


class PlansToSeal:
    """The plans of a run, taken while it goes on; JournalError at once where nothing could be sealed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._journal = Journal(settings.journal_place.journal)
        self._journal.refuse_broken(self._journal.read().defect)
        self._files: dict[str, SymbolFiles] = {}  # by symbol as it was asked for

    def add(self, finished: FinishedSymbol) -> None:
        """The next symbol of the run."""
        match finished.outcome:
            case Success(files):
                self._files[finished.symbol] = files

    def sealed_before(self) -> SealedForecasts:
        """The forecasts that the journal holds, whose bars count as clean; none where this run begins it."""
        return self._journal.sealed_forecasts() if self._journal.path.exists() else SealedForecasts({})

    def seal(self, planned: PlannedOrders, whole: WholeRun, once: bool = False) -> SealingReport:
        """Seal them all with their orders; with `once` none whose session a run with these settings has sealed."""
        plans = plans_of(self._settings, self._files, whole, planned.orders, planned.none)
        before = self._plans_before(plans) if once else {}
        plans = [plan for plan in plans if plan.symbol not in before]
        appended = self._journal.append(plans, self._settings.bars.now)
        output.notes([*appended.notes, *_known(appended)])
        return SealingReport(
            journal=str(self._journal.path),
            entries=[_entry(sealed) for sealed in appended.sealed],
            known=[_entry(sealed) for sealed in (*appended.known, *before.values())],
            refused=appended.refused,
            head=None if appended.head is None else str(appended.head),
        )

    def _plans_before(self, plans: Sequence[SealedPlan]) -> dict[str, Sealed]:
        """By symbol the entry that has its session already, from a run with the same settings."""
        from marketsim.journal.record import sealed_before

        if not self._journal.path.exists():
            return {}
        found = sealed_before(plans, self._journal.entries())
        output.notes(
            f"{symbol}: its session {sealed.plan.session.bar} was sealed before, as entry {sealed.entry.number}"
            for symbol, sealed in found.items()
        )
        return found


def told(report: SealingReport, head: bool) -> list[str]:
    """A line for each sealed plan; with the head of the journal if requested."""
    lines = []
    if report.entries:
        numbers = [entry.entry for entry in report.entries]
        which = f"entry {numbers[0]}" if len(numbers) == 1 else f"entries {numbers[0]} to {numbers[-1]}"
        when = report.entries[0]
        given = ", a time that was given" if when.clock == "given" else ""
        lines.append(f"Sealed as {which} of {report.journal} ({when.sealed} UTC{given}).")
    if head and report.head is not None:
        lines.append(f"Head {report.head}")
    return lines


def raise_if_refused(report: SealingReport) -> bool:
    """Whether some plans could not be sealed, which is said; DataError where none could."""
    if not report.refused:
        return False
    if not (report.entries or report.known):
        for why in report.refused[:-1]:
            output.fail(why)
        raise DataError(report.refused[-1])
    for why in report.refused:
        output.fail(why)
    return True


def _known(appended: Appended) -> list[str]:
    return [
        f"{sealed.plan.symbol}: this plan was sealed before, as entry {sealed.entry.number} ({sealed.entry.sealed} UTC)"
        for sealed in appended.known
    ]


def _entry(sealed: Sealed) -> SealedEntry:
    entry = sealed.entry
    return SealedEntry(
        entry=entry.number, symbol=sealed.plan.symbol, sealed=entry.sealed, clock=entry.clock, hash=sealed.hash
    )
