"""Summaries of observed runs: medians, search costs, a trace."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import median, median_low
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from marketsim.cli.profiled_runs import GpuTraffic, Observed
from marketsim.profiling import STAGES, prefixes
from marketsim.results.rows import Count, Row

ANSWERS = 3  # of a fit that does not search: one on each precision of its surface, at most
SEARCH, EVALUATE = "optimize/search", "optimize/search/evaluate"


class StageSummary(Struct, frozen=True):
    """A stage of equal runs: medians, with the least and the most."""

    seconds: float
    least: float
    most: float
    share: float  # of the run
    calls: int
    seconds_a_call: float
    peak_bytes: int  # by which it raised the peak


class ForecastCounts(Struct, frozen=True):
    """Forecasts that were made, and those that were read from the cache."""

    made: int
    reused: int
    hit_rate: float


class RunSummary(Struct, frozen=True):
    """Equal runs: medians, with the least and the most."""

    seconds: float
    least: float
    most: float
    peak_bytes: int
    forecasts: ForecastCounts
    stages: Mapping[str, StageSummary]  # in the order of the timing table, each followed by its parts


class WhatIf(Struct, frozen=True):
    """Whole runs with one thing changed."""

    name: str
    seconds: float
    least: float
    most: float
    ratio: float  # to the warm run


class SearchCost(Struct, frozen=True):
    """The cost of a fit and of an evaluation in the median of equal runs; without a search there are only fits."""

    optimizer: str
    fits: int
    fit_seconds: float
    least: float  # of the runs' fit_seconds; an evaluation's cost varies with it
    most: float
    evaluations_a_fit: float | None = None
    candidates_a_call: float | None = None
    profit_seconds: float | None = None  # of an evaluation: the profit itself
    overhead_seconds: float | None = None  # what the optimizer adds
    counting_seconds: float | None = None  # and what it costs to observe it
    total_seconds: float | None = None
    overhead_share: float | None = None


class Machine(Struct, frozen=True):
    """What the figures depend on most: a load above the number of cores makes them worthless."""

    python: str
    cores: int | None
    load: float | None


class ProfileDocument(Row, frozen=True, tag_field="schema", tag="marketsim.profile/2"):
    """`marketsim profile --json`."""

    symbol: str
    machine: Machine
    repeat: Count
    runs: dict[str, RunSummary]  # cold and warm
    what_if: list[WhatIf]
    bottleneck: list[SearchCost]
    gpu: GpuTraffic | None


def summary(runs: Sequence[Observed]) -> RunSummary:
    """The median of equal runs, with the least and the most, in whole and by stage."""
    walls = [run.wall for run in runs]
    reused, made = (runs[0].counts.get(f"forecasts {which}", 0) for which in ("reused", "made"))
    return RunSummary(
        seconds=median(walls),
        least=min(walls),
        most=max(walls),
        peak_bytes=median_low([sum(n for name, n in run.bytes.items() if "/" not in name) for run in runs]),
        forecasts=ForecastCounts(made, reused, reused / (made + reused)),
        stages={name: _stage(name, runs, median(walls)) for name in _tree(runs[0])},
    )


def _stage(name: str, runs: Sequence[Observed], wall: float) -> StageSummary:
    values = [run.seconds.get(name, 0.0) for run in runs]
    calls = runs[0].calls[name]
    return StageSummary(
        seconds=median(values),
        least=min(values),
        most=max(values),
        share=median(values) / wall,
        calls=calls,
        seconds_a_call=median(values) / calls,
        peak_bytes=median_low([run.bytes.get(name, 0) for run in runs]),
    )


def _tree(run: Observed) -> list[str]:
    order = {name: i for i, name in enumerate(dict.fromkeys(("start-up", *STAGES, *run.seconds)))}
    return sorted(run.seconds, key=lambda name: [order[path] for path in prefixes(name)])


def what_if(name: str, changed: RunSummary, warm: RunSummary) -> WhatIf:
    """Runs with one thing changed, beside the warm ones."""
    return WhatIf(name, changed.seconds, changed.least, changed.most, changed.seconds / warm.seconds)


def search_cost(name: str, runs: Sequence[Observed]) -> SearchCost:
    """The cost of an optimizer's fit in equal runs, and how it is made up in the median one."""
    fits = runs[0].counts["fits"]
    run = sorted(runs, key=lambda run: run.seconds[SEARCH])[(len(runs) - 1) // 2]
    times = [run.seconds[SEARCH] / fits for run in runs]
    cost = SearchCost(name, fits, run.seconds[SEARCH] / fits, min(times), max(times))
    evaluations = run.counts.get(EVALUATE, 0)
    if evaluations <= ANSWERS * fits:  # no search: the answers alone were evaluated
        return cost
    total, profit = run.seconds[SEARCH], run.seconds.get(EVALUATE, 0.0)
    counting = run.counting * run.calls[EVALUATE] / evaluations
    overhead = max(0.0, (total - profit) / evaluations - counting)
    return replace(
        cost,
        evaluations_a_fit=evaluations / fits,
        candidates_a_call=evaluations / run.calls[EVALUATE],
        profit_seconds=profit / evaluations,
        overhead_seconds=overhead,
        counting_seconds=counting,
        total_seconds=total / evaluations,
        overhead_share=overhead * evaluations / total,
    )


def trace(runs: Mapping[str, Observed]) -> dict[str, Any]:
    """The spans of some runs in the Trace Event Format, a process each, for Perfetto or chrome://tracing."""
    events: list[dict[str, Any]] = []
    for pid, (name, run) in enumerate(runs.items(), 1):
        thread = {"pid": pid, "tid": 1}
        events.append({"name": "process_name", "ph": "M", **thread, "args": {"name": name}})
        # start-up is charged with what no other stage is; its span is the whole process
        spans = [(name if stage == "start-up" else stage, start, length) for stage, start, length in run.spans]
        for stage, start, length in sorted(spans, key=lambda span: (span[1], -span[2])):
            times = {"ts": round(1e6 * start, 3), "dur": round(1e6 * length, 3)}
            events.append({"name": stage, "cat": stage.split("/")[0], "ph": "X", **thread, **times})
    return {"displayTimeUnit": "ms", "traceEvents": events}
