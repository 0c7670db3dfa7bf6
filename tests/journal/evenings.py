"""Plans as they are sealed of an evening, and evenings that are played through into a journal of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from marketsim.backtesting import parallel
from marketsim.data.bars import Bars
from marketsim.errors import value_of
from marketsim.journal.entry import SealedPlan
from marketsim.journal.journal import Journal
from marketsim.journal.sealing import plans_of
from marketsim.profiling import Clock
from marketsim.results.planned_orders import PlannedOrders
from marketsim.results.walk_profits import DecidingProfits
from marketsim.results.whole_run import WholeRun
from marketsim.settings.settings import Settings


def plans_now(symbols: Sequence[str], settings: Settings) -> list[SealedPlan]:
    """The plans of the symbols at the time that the settings give, with their orders."""
    finished = parallel.stream(symbols, settings, Clock(), basis=True)
    files = {each.symbol: value_of(each.outcome) for each in finished}
    whole = WholeRun.of({run.document.symbol: DecidingProfits.of(run.profits) for run in files.values()}, settings.seed)
    planned = PlannedOrders()
    for each in files.values():
        planned.add(whole.judged(each.document))
    return plans_of(settings, files, whole, planned.orders, planned.none)


def seal_evenings(folder: Path, symbol: str, bars: Bars, evenings: Sequence[int], settings: Settings) -> Journal:
    """A journal in which the plan after each of the bars at the positions `evenings` is sealed when that bar ends."""
    journal = Journal(str(folder))
    for at in evenings:
        now = str(bars.timetable.ends(bars.time[at : at + 1])[0])
        journal.append(plans_now([symbol], settings.replace(end=str(bars.names()[at]), now=now)), now)
    return journal
