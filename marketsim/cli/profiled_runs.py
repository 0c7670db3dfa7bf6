"""Whole runs of the main job in processes of their own, observed, timed and summed up."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median, median_low
from typing import Any

from marketsim.errors import DataError, MarketsimError, UsageError
from marketsim.profiling import STAGES, prefixes

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Observed:
    """One process, from its start to its end as its parent saw it; a stage holds what its parts do."""

    wall: float  # seconds
    seconds: Mapping[str, float]  # by stage; the stages without parts add up to `wall`
    calls: Mapping[str, int]
    bytes: Mapping[str, int]  # by which the stage raised the peak; they add up to the peak
    counts: Mapping[str, int]
    spans: Sequence[tuple[str, float, float]]  # where kept: stage, start since the process's, length, in seconds
    gpu: Row | None  # copies and synchronisations, where they were counted


def observe(words: Sequence[str], directory: Path, way: str = "plain", detail: str = "") -> Observed:
    """Run `marketsim WORD...` and watch it; `way` and its `detail` are those of `cli/probe.py`.

    Its output is dropped. What it says when it fails is raised as the error that it was.
    """
    file = directory / "observed.json"
    program = [sys.executable, "-m", "marketsim.cli.observed_run", str(file), way, detail, *words]
    start = time.perf_counter()
    done = subprocess.run(
        program, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="backslashreplace", check=False
    )
    wall = time.perf_counter() - start
    if done.returncode:
        said = (done.stderr.strip().splitlines() or [f"a run ended with exit code {done.returncode}"])[-1]
        kind = {2: UsageError, 3: DataError}.get(done.returncode, MarketsimError)
        raise kind(said.removeprefix("marketsim: "))
    seen = json.loads(file.read_text(encoding="utf-8"))
    outside = ("start-up", "start-up/interpreter")  # what was before the first stage and after the last one
    around = wall - sum(spent for name, spent in seen["seconds"].items() if "/" not in name)
    seconds, calls, grown = (dict.fromkeys(outside, 0) | seen[key] for key in ("seconds", "calls", "bytes"))
    for name in outside:
        seconds[name] += around
        calls[name] = 1
        grown[name] += seen["base"]
    spans = [(name, around + begin, length) for name, begin, length in seen["spans"]]
    spans.append(("start-up/interpreter", 0.0, around))
    return Observed(wall, seconds, calls, grown, seen["counts"], spans, seen.get("gpu"))


def summary(runs: Sequence[Observed]) -> Row:
    """The median of equal runs, with the least and the most, in whole and by stage."""
    wall = median(run.wall for run in runs)
    reused, made = (runs[0].counts.get(f"forecasts {which}", 0) for which in ("reused", "made"))
    return {
        **_spread([run.wall for run in runs]),
        "peak_bytes": median_low([sum(n for name, n in run.bytes.items() if "/" not in name) for run in runs]),
        "forecasts": {"made": made, "reused": reused, "hit_rate": reused / (made + reused)},
        "stages": {name: _stage(name, runs, wall) for name in _tree(runs[0])},
    }


def _stage(name: str, runs: Sequence[Observed], wall: float) -> Row:
    spread = _spread([run.seconds.get(name, 0.0) for run in runs])
    calls = runs[0].calls[name]
    return {
        **spread,
        "share": spread["seconds"] / wall,
        "calls": calls,
        "seconds_a_call": spread["seconds"] / calls,
        "peak_bytes": median_low([run.bytes.get(name, 0) for run in runs]),
    }


def _spread(values: Sequence[float]) -> Row:
    return {"seconds": median(values), "least": min(values), "most": max(values)}


def _tree(run: Observed) -> list[str]:
    """The stages in the order of the timing table, each followed by its parts in the order of the run."""
    order = {name: i for i, name in enumerate(dict.fromkeys(("start-up", *STAGES, *run.seconds)))}
    return sorted(run.seconds, key=lambda name: [order[path] for path in prefixes(name)])


def bottleneck(name: str, run: Observed) -> Row:
    """What one evaluation of a search costs: the profit itself, and what the optimiser adds to it."""
    search, evaluate = "optimise/search", "optimise/search/evaluate"
    total, profit = run.seconds[search], run.seconds.get(evaluate, 0.0)
    evaluations, fits = run.counts.get(evaluate, 0), run.counts["fits"]
    row: Row = {"optimizer": name, "fits": fits, "fit_seconds": total / fits}
    if evaluations <= fits:  # no search: the answer alone was evaluated
        return row
    return row | {
        "evaluations_a_fit": evaluations / fits,
        "candidates_a_call": evaluations / run.calls[evaluate],
        "profit_seconds": profit / evaluations,
        "overhead_seconds": (total - profit) / evaluations,
        "total_seconds": total / evaluations,
        "overhead_share": (total - profit) / total,
    }


def trace(runs: Mapping[str, Observed]) -> Row:
    """The spans of some runs in the Trace Event Format, a process each, for Perfetto or chrome://tracing."""
    events: list[Row] = []
    for pid, (name, run) in enumerate(runs.items(), 1):
        thread = {"pid": pid, "tid": 1}
        events.append({"name": "process_name", "ph": "M", **thread, "args": {"name": name}})
        # start-up is charged with what no other stage is; its span is the whole process
        spans = [(name if stage == "start-up" else stage, start, length) for stage, start, length in run.spans]
        for stage, start, length in sorted(spans, key=lambda span: (span[1], -span[2])):
            times = {"ts": round(1e6 * start, 3), "dur": round(1e6 * length, 3)}
            events.append({"name": stage, "cat": stage.split("/")[0], "ph": "X", **thread, **times})
    return {"displayTimeUnit": "ms", "traceEvents": events}
