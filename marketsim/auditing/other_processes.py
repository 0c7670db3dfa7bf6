"""The chain in new processes: their cached forecasts and their results must be the same."""

from __future__ import annotations

import tempfile
from contextlib import closing

from marketsim.auditing.audited import Audited
from marketsim.auditing.checks import Check
from marketsim.auditing.difference import Comparison, Difference, compare
from marketsim.auditing.trace import Stage
from marketsim.backtesting import parallel
from marketsim.data.bars import Bars
from marketsim.errors import value_of
from marketsim.forecasting.cache import connect
from marketsim.profiling import Clock
from marketsim.results.document import simulation_rows
from marketsim.results.encoding import to_csv
from marketsim.settings.settings import Settings

NAME = "other processes"


def in_other_processes(audited: Audited, settings: Settings, symbol: str, beside: Bars) -> Check:
    """Run the `symbol`, and the one `beside` it, in two new processes, and read here what they kept in the cache.

    Where another key is asked for here, or where what is kept differs, something depends on the process.
    """
    with tempfile.TemporaryDirectory() as directory:
        there = settings.replace(
            workers=2,
            executor="processes",
            scheduler=None,
            cache="readwrite",
            cache_dir=directory,
            cache_url=None,
            allow_lookahead=True,
        )
        symbols = [symbol, beside.symbol]  # where there is none of that name, it is one that fails
        with closing(parallel.stream(symbols, there, Clock(), rows=True)) as stream:
            files = value_of(next(stream).outcome)
            for _ in stream:
                pass
        with connect(there.cache_place, "readonly") as cache:
            forecasts = audited.chain.forecasts(audited.bars, audited.walk, cache=cache)
    trace = audited.chain.trace(audited.bars, forecasts)
    found = compare(audited.base, trace, audited.last, audited.tolerance)
    if forecasts.made and found.first is None:
        found = _apart(found, "cache key", audited.last, "found", f"{forecasts.made} not found")
    elif found.first is None and found.exact:
        found = _same_rows(audited, found, files.simulations)
    return Check(NAME, 1, audited.tolerance, found)


def _same_rows(audited: Audited, found: Comparison, rows: str) -> Comparison:
    """Whether fits and trades are the same, as they are written to simulations.csv."""
    mine = to_csv(simulation_rows(audited.result)).splitlines()
    pairs = zip(mine, rows.splitlines(), strict=True)
    for i, (here, there) in enumerate(pairs):
        if here != there:
            origin = int(audited.walk.origins[audited.walk.evaluated[(i - 1) % len(audited.walk.evaluated)]])
            return _apart(found, "row of simulations.csv", origin, here, there)
    return found


def _apart(found: Comparison, channel: str, origin: int, before: str, after: str) -> Comparison:
    stage: Stage = "cache key" if channel == "cache key" else "fit"
    return Comparison(found.origins, found.largest, Difference(channel, stage, origin, before, after))
