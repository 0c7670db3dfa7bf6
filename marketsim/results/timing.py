"""Timing of a run: the table below the results, and timing.json."""

from __future__ import annotations

from marketsim.profiling import STAGES, Clock
from marketsim.results.rows import Count, Row, Seconds, Share


class StageTime(Row, frozen=True):
    """A stage of the run, such as the forecasts."""

    seconds: Seconds
    share: Share  # of the seconds of all stages
    calls: Count


class ForecastCounts(Row, frozen=True):
    """Forecasts that were made now, and those read from the cache."""

    made: Count
    reused: Count


class TimingDocument(Row, frozen=True, tag_field="schema", tag="marketsim.timing/1"):
    """timing.json: where the time of a run went."""

    stages: dict[str, StageTime]
    forecasts: ForecastCounts
    fits: Count
    fits_per_second: float | None
    symbols: Count
    symbol_seconds: Seconds  # sum over the symbols
    total_seconds: Seconds  # sum over the stages
    wall_seconds: Seconds


def timing_document(clock: Clock, symbols: int = 1, work: float | None = None) -> TimingDocument:
    """Time, up to now: seconds by stage, and the seconds before the first stage as `start-up`.

    `work` is the sum of the seconds of the `symbols`. Where several processes worked at once it passes the wall time;
    stages are then sums over processes, and start-up has no place among them.
    """
    wall = clock.wall()
    seconds = {name: clock.seconds.get(name, 0.0) for name in STAGES}
    seconds = {"start-up": max(0.0, wall - sum(seconds.values()))} | seconds
    total = sum(seconds.values())
    fits, optimize = clock.counts.get("fits", 0), seconds["optimize"]
    return TimingDocument(
        stages={
            name: StageTime(seconds=spent, share=spent / total if total else 0.0, calls=clock.calls.get(name, 1))
            for name, spent in seconds.items()
        },
        forecasts=ForecastCounts(
            made=clock.counts.get("forecasts made", 0), reused=clock.counts.get("forecasts reused", 0)
        ),
        fits=fits,
        fits_per_second=fits / optimize if optimize else None,
        symbols=symbols,
        symbol_seconds=wall if work is None else work,
        total_seconds=total,
        wall_seconds=wall,
    )
