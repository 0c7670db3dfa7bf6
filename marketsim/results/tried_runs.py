"""What was tried in several runs, counted together: their means, with intervals that hold for all at once."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

import numpy as np

from marketsim.results.evidence import checked, known
from marketsim.results.pooling import DatedProfits
from marketsim.results.rows import Bps, Count, Row
from marketsim.results.run_directory import EQUITY
from marketsim.results.saved_runs import SavedRun
from marketsim.results.schema import Tried
from marketsim.results.significance import in_bps
from marketsim.settings.choices import BASIS_POINTS


class TriedRow(Row, frozen=True):
    """A strategy of a run: the mean of its symbols, with an interval that counts all that was tried."""

    directory: str
    strategy: str
    dates: Count
    mean_bps: Bps
    low_bps: Bps | None
    high_bps: Bps | None


def count_tries(runs: Sequence[SavedRun], seed: int) -> tuple[list[TriedRow], Tried | None]:
    """A row for each run and strategy, and the best of them; a date counts once, as the mean of its symbols."""
    series = [(run, name, _by_date(run, name)) for run in runs for name in run.headlines]
    if not series:
        return [], None
    check = checked([profits for _, _, profits in series], seed)
    rows = []
    for (run, name, profits), interval in zip(series, check.intervals, strict=True):
        ends = in_bps(interval)
        mean = float(BASIS_POINTS * profits.profits.mean())
        low, high = (None, None) if ends is None else (ends.low, ends.high)
        directory = str(run.directory)
        rows.append(
            TriedRow(
                directory=directory, strategy=name, dates=len(profits.times), mean_bps=mean, low_bps=low, high_bps=high
            )
        )
    values = [(p, row) for p, row in zip(known(check.p), rows, strict=True) if p is not None]
    if not values:
        return rows, None
    p, best = min(values, key=lambda each: each[0])
    return rows, Tried(tried=len(values), best=f"{best.directory} {best.strategy}", p=p)


def _by_date(run: SavedRun, strategy: str) -> DatedProfits:
    """What a strategy earned on each date, the mean of the symbols that had a bar then."""
    found: dict[str, list[float]] = {}
    before: dict[str, float] = {}
    fill = str(run.settings["fill"])
    for row in csv.DictReader(StringIO(run.files.read(EQUITY).decode())):
        if row["name"] == strategy:
            total = float(row[fill])
            found.setdefault(row["time"], []).append(total - before.get(row["symbol"], 0.0))
            before[row["symbol"]] = total
    times = sorted(found)
    return DatedProfits(times, np.array([np.mean(found[time]) for time in times]))
