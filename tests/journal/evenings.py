"""Evenings that are played through: plans sealed on the bars up to each, in a journal of their own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from marketsim.backtesting import parallel
from marketsim.data.bars import Bars
from marketsim.journal.journal import Journal
from marketsim.journal.sealing import Run, sealed_plan
from marketsim.profiling import Clock
from marketsim.results.planned_orders import PlannedOrders
from marketsim.settings.settings import Settings


def seal_evenings(folder: Path, symbol: str, bars: Bars, evenings: Sequence[int], settings: Settings) -> Journal:
    """A journal in which the plan after each of the bars at the positions `evenings` is sealed when that bar ends."""
    journal = Journal(str(folder))
    for at in evenings:
        end = bars.time[at]
        now = str(bars.timetable.ends(bars.time[at : at + 1])[0])
        evening = settings.replace(end=str(end) if "T" in str(bars.names()[at]) else str(bars.names()[at]), now=now)
        finished = list(parallel.stream([symbol], evening, Clock(), basis=True))
        files = {each.symbol: each.outcome.value for each in finished}
        planned = PlannedOrders()
        for each in files.values():
            planned.add(each.document)
        run = Run.of(evening, files, planned.orders, planned.none)
        journal.append([sealed_plan(each.document, each, run) for each in files.values()], now)
    return journal
