"""The tables of a profile."""

from __future__ import annotations

import math
from collections.abc import Sequence

from marketsim.cli import output
from marketsim.cli.profile_summary import ProfileDocument, RunSummary, SearchCost, StageSummary, WhatIf
from marketsim.cli.profiled_runs import GpuTraffic

SLIGHT = 0.001  # of a run: what a stage spends outside of its parts is then not worth a line
MIB = 2**20


def show(profile: ProfileDocument, gpu: bool) -> None:
    """Print all of it; `gpu`: whether there is one."""
    machine = profile.machine
    load = "" if machine.load is None else f" and a load of {machine.load:.1f} before the first run"
    output.lines(f"Python {machine.python} on {machine.cores} cores{load}", "")
    for name, run in profile.runs.items():
        _stages(f"{profile.symbol}, {name} run", run, profile.repeat)
    _what_if(profile)
    _search_costs(profile.bottleneck, profile.repeat)
    _gpu(profile.gpu, gpu)


def _stages(title: str, run: RunSummary, repeat: int) -> None:
    """A row a stage, its parts indented below it."""
    headers = ("Stage", "Seconds", *_spread_header(repeat), "Share\n%", "Calls", "ms\na call", "Peak\n+ MiB")
    rows = []
    for name, stage in run.stages.items():
        rows.append(_stage(name, stage, repeat))
        parts = [part for path, part in run.stages.items() if path.rpartition("/")[0] == name]
        share = stage.share - sum(part.share for part in parts)
        if parts and share >= SLIGHT:
            seconds = stage.seconds - sum(part.seconds for part in parts)
            peak = stage.peak_bytes - sum(part.peak_bytes for part in parts)
            rows.append(_cells(f"{name}/the rest", seconds, share, peak, _no_spread(repeat)))
    rows.append(_cells("total", run.seconds, 1.0, run.peak_bytes, _spread(run.least, run.most, repeat)))
    output.table(title, headers, rows)
    forecasts = run.forecasts
    output.lines(
        f"{forecasts.made:,} forecasts made, {forecasts.reused:,} read from the cache: "
        f"hit rate {forecasts.hit_rate:.0%}",
        "",
    )


def _stage(name: str, stage: StageSummary, repeat: int) -> tuple[str, ...]:
    calls = (str(stage.calls), f"{1e3 * stage.seconds_a_call:.2f}")
    spread = _spread(stage.least, stage.most, repeat)
    return _cells(name, stage.seconds, stage.share, stage.peak_bytes, spread, calls)


def _cells(
    name: str,
    seconds: float,
    share: float,
    peak_bytes: int,
    spread: tuple[str, ...],
    calls: tuple[str, str] = ("", ""),
) -> tuple[str, ...]:
    *above, last = name.split("/")
    peak = f"{peak_bytes / MIB:.1f}"
    return ("  " * len(above) + last, seconds_text(seconds), *spread, f"{100 * share:.1f}", *calls, peak)


def _spread_header(repeat: int) -> tuple[str, ...]:
    return ("Min .. max",) if repeat > 1 else ()


def _spread(least: float, most: float, repeat: int) -> tuple[str, ...]:
    return (f"{seconds_text(least)} .. {seconds_text(most)}",) if repeat > 1 else ()


def _no_spread(repeat: int) -> tuple[str, ...]:
    return ("",) if repeat > 1 else ()


def _what_if(profile: ProfileDocument) -> None:
    warm = profile.runs["warm"]
    named = [WhatIf("unchanged, warm", warm.seconds, warm.least, warm.most, 1.0), *profile.what_if]
    rows = [
        (row.name, seconds_text(row.seconds), *_spread(row.least, row.most, profile.repeat), f"{row.ratio:.2f}")
        for row in named
    ]
    output.table("Alternatives", ("Run", "Seconds", *_spread_header(profile.repeat), "Ratio\nto warm"), rows)


def _search_costs(costs: Sequence[SearchCost], repeat: int) -> None:
    headers = ("Optimizer", "Evaluations\na fit", "Evaluations\na call", "Fit\nms", *_spread_header(repeat))
    cells = [
        (
            cost.optimizer,
            _number(cost.evaluations_a_fit, 1, 0),
            _number(cost.candidates_a_call, 1, 1),
            seconds_text(1e3 * cost.fit_seconds),
            *_spread(1e3 * cost.least, 1e3 * cost.most, repeat),
        )
        for cost in costs
    ]
    output.table("Cost of a fit", headers, cells)
    headers = (
        "Optimizer",
        "Profit\nµs",
        "Overhead\nµs",
        "Counting\nµs",
        "Total\nµs",
        *_spread_header(repeat),
        "Overhead\n%",
    )
    cells = [
        (
            cost.optimizer,
            _number(cost.profit_seconds, 1e6, 1),
            _number(cost.overhead_seconds, 1e6, 1),
            _number(cost.counting_seconds, 1e6, 1),
            _number(cost.total_seconds, 1e6, 1),
            *_spread(1e6 * cost.least / cost.evaluations_a_fit, 1e6 * cost.most / cost.evaluations_a_fit, repeat),
            _number(cost.overhead_share, 100, 1),
        )
        for cost in costs
        if cost.evaluations_a_fit is not None
    ]
    output.table("Cost of an evaluation, the profit of one candidate", headers, cells)


def seconds_text(seconds: float) -> str:
    """Three significant digits, down to microseconds.

    >>> seconds_text(1.23456), seconds_text(0.0301), seconds_text(12.3456)
    ('1.23', '0.0301', '12.3')
    """
    digits = 2 - math.floor(math.log10(seconds)) if seconds > 0 else 3
    return f"{seconds:.{min(6, max(0, digits))}f}"


def _number(value: float | None, scale: float, digits: int) -> str:
    return "-" if value is None else f"{scale * value:.{digits}f}"


def _gpu(gpu: GpuTraffic | None, here: bool) -> None:
    if gpu is None:
        output.lines("GPU: there is one, but torch cannot use it." if here else "GPU: none.")
        return
    output.lines(
        f"GPU: {gpu.name}; in a cold run {gpu.to_device:,} copies to it, {gpu.to_host:,} from it, "
        f"{gpu.synchronizations:,} synchronizations."
    )
