"""Several runs counted together: their means, with simultaneous intervals."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

import numpy as np
from msgspec.structs import asdict

from marketsim.results.dated_profits import DatedProfits
from marketsim.results.evidence import known
from marketsim.results.evidence_schema import Tried
from marketsim.results.mean_profit import MeanProfit
from marketsim.results.reality_check import reality_check
from marketsim.results.rows import Bps, Count, Row
from marketsim.results.run_directory import EQUITY
from marketsim.results.saved_runs import SavedRun
from marketsim.results.significance import Interval
from marketsim.results.walk_profits import deciding_fill
from marketsim.settings.choices import EXPECTED


class TriedRow(Row, frozen=True):
    """A strategy of a run: the mean of its symbols, with an interval that counts all that was tried."""

    directory: str
    strategy: str
    dates: Count
    bars: Count  # of all symbols
    mean_bps: Bps  # over all bars
    low_bps: Bps | None
    high_bps: Bps | None
    smallest_edge_bps: Bps | None  # that so many bars show in 4 of 5 cases, all that was tried counted
    bars_for_10_bps: Count | None  # that an edge of 10 basis points a bar would need, so counted


def common_fill(runs: Sequence[SavedRun]) -> str:
    """The fill policy that runs are compared by: that of their decisions, or `expected` where these differ."""
    fills = {deciding_fill(str(run.settings["fill"])) for run in runs}
    return fills.pop() if len(fills) == 1 else EXPECTED


def count_tries(runs: Sequence[SavedRun], fill: str, seed: int) -> tuple[list[TriedRow], Tried | None]:
    """A row for each run and strategy, and the best of them; symbols that move together count so.

    All are booked by the policy `fill`, whatever they were fitted by.
    """
    series = [(run, name, _by_date(run, name, fill)) for run in runs for name in run.headlines]
    if not series:
        return [], None
    check = reality_check([dated for _, _, (dated, _) in series], seed)
    rows = []
    for (run, name, (dated, bars)), together in zip(series, check.intervals, strict=True):
        figures = MeanProfit.of(float(dated.profits.mean()), _wider(together, _alone(dated, seed)), bars)
        row = TriedRow(
            directory=str(run.directory), strategy=name, dates=len(dated.times), bars=bars, **asdict(figures)
        )
        rows.append(row)
    values = [(p, row) for p, row in zip(known(check.p), rows, strict=True) if p is not None]
    if not values:
        return rows, None
    p, best = min(values, key=lambda pair: pair[0])
    return rows, Tried(tried=len(values), best=f"{best.directory} {best.strategy}", p=p)


def _alone(dated: DatedProfits, seed: int) -> Interval | None:
    (interval,) = reality_check([dated], seed).intervals
    return interval


def _wider(one: Interval | None, other: Interval | None) -> Interval | None:
    """The wider of two: the dates of other runs never make what is known of a run more certain."""
    if one is None or other is None:
        return None
    return max(one, other, key=lambda interval: interval.high - interval.low)


def _by_date(run: SavedRun, strategy: str, fill: str) -> tuple[DatedProfits, int]:
    """What a strategy earned by date, such that its mean over dates is the one over all bars; and the number of bars.

    Dates differ in how many symbols have a bar. Each has the mean over all bars and what its own bars earned beyond
    that: the linear form of a ratio (Cochran, "Sampling Techniques", 1977, chapter 6), whose spread is the mean's.
    """
    found: dict[str, list[float]] = {}
    before: dict[str, float] = {}
    for row in csv.DictReader(StringIO(run.files.read(EQUITY).decode())):
        if row["name"] == strategy:
            total = float(row[fill])
            found.setdefault(row["time"], []).append(total - before.get(row["symbol"], 0.0))
            before[row["symbol"]] = total
    times = sorted(found)
    earned, counts = np.array([sum(found[time]) for time in times]), np.array([len(found[time]) for time in times])
    bars = int(counts.sum())
    mean = earned.sum() / bars
    return DatedProfits(times, mean + (earned - mean * counts) * len(times) / bars), bars
