from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from marketsim.cli import profile_summary, profiled_runs
from marketsim.cli.profile_summary import ForecastCounts, SearchCost, StageSummary
from marketsim.cli.profiled_runs import GpuTraffic, Observed
from marketsim.errors import DataError, MarketsimError, UsageError
from tests.observed import observed


def answer(monkeypatch: pytest.MonkeyPatch, code: int, errors: str, seen: dict[str, Any] | None = None) -> None:
    def run(program: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if seen is not None:
            Path(program[3]).write_text(json.dumps(seen))
        return subprocess.CompletedProcess(program, code, None, errors)

    monkeypatch.setattr(profiled_runs.subprocess, "run", run)


def test_what_no_stage_was_charged_with_is_the_interpreter_s(monkeypatch, tmp_path):
    seen = {
        "seconds": {"start-up": 1.0, "load": 2.0, "load/read": 1.5},
        "calls": {"start-up": 1, "load": 4, "load/read": 2},
        "bytes": {"load": 30, "load/read": 20},
        "counts": {"fits": 3},
        "spans": [["load", 0.5, 2.0]],
        "base": 100,
        "counting": 1e-6,
        "gpu": {"name": "X", "to_device": 1, "to_host": 2, "synchronizations": 3},
    }
    answer(monkeypatch, 0, "", seen)
    times = iter([50.0, 57.0])
    monkeypatch.setattr(profiled_runs.time, "perf_counter", lambda: next(times))
    run = profiled_runs.observe(["backtest", "ETHUSD"], tmp_path)
    assert run.counting == 1e-6
    assert (run.wall, run.gpu) == (7, GpuTraffic("X", 1, 2, 3))
    assert run.seconds == {"start-up": 5, "start-up/interpreter": 4, "load": 2, "load/read": 1.5}
    assert run.bytes == {"start-up": 100, "start-up/interpreter": 100, "load": 30, "load/read": 20}
    assert run.calls == {"start-up": 1, "start-up/interpreter": 1, "load": 4, "load/read": 2}
    assert run.spans == [("load", 4.5, 2), ("start-up/interpreter", 0, 4)]


@pytest.mark.parametrize(
    ("code", "error"), [(1, MarketsimError), (2, UsageError), (3, DataError), (4, MarketsimError), (-9, MarketsimError)]
)
def test_a_job_that_fails_is_its_own_error(code, error, monkeypatch, tmp_path):
    answer(monkeypatch, code, "note: by the way\nmarketsim: no bars of it\n")
    with pytest.raises(error, match=r"^no bars of it$") as caught:
        profiled_runs.observe([], tmp_path)
    assert type(caught.value) is error
    answer(monkeypatch, code, "")
    with pytest.raises(error, match=f"exit code {code}"):
        profiled_runs.observe([], tmp_path)


def test_a_summary_is_the_median_of_equal_runs():
    run = profile_summary.summary([observed(scale) for scale in (3.0, 1.0, 2.0)])
    assert (run.seconds, run.least, run.most) == (20, 10, 30)
    assert run.forecasts == ForecastCounts(30, 10, 0.25)
    assert list(run.stages) == [
        "start-up",
        "start-up/interpreter",
        "load",
        "optimize",
        "optimize/terms",
        "optimize/search",
        "optimize/search/evaluate",
        "report",
    ]
    assert run.stages["optimize/search"] == StageSummary(
        seconds=8, least=4, most=12, share=0.4, calls=2, seconds_a_call=4, peak_bytes=8 << 20
    )
    tops = [stage for name, stage in run.stages.items() if "/" not in name]
    assert sum(stage.share for stage in tops) == pytest.approx(1)
    assert run.peak_bytes == sum(stage.peak_bytes for stage in tops) == 20 << 20


def test_a_search_costs_its_profit_what_the_optimizer_adds_and_the_counting():
    run = observed(1.0)
    counted = Observed(run.wall, run.seconds, run.calls, run.bytes, run.counts, run.spans, counting=0.2)
    assert profile_summary.search_cost("direct", [counted]) == SearchCost(
        optimizer="direct",
        fits=2,
        fit_seconds=2,
        least=2,
        most=2,
        evaluations_a_fit=5,
        candidates_a_call=2,
        profit_seconds=0.1,
        overhead_seconds=pytest.approx(0.2),
        counting_seconds=0.1,
        total_seconds=0.4,
        overhead_share=pytest.approx(0.5),
    )


def test_a_fit_without_a_search_has_no_tries():
    run = observed(1.0)
    once = Observed(run.wall, run.seconds, run.calls, run.bytes, {"fits": 2, "optimize/search/evaluate": 2}, run.spans)
    assert profile_summary.search_cost("exact", [once]) == SearchCost("exact", fits=2, fit_seconds=2, least=2, most=2)


def test_a_fit_costs_what_it_does_in_the_median_run_and_in_the_quickest_and_slowest():
    cost = profile_summary.search_cost("direct", [observed(4.0), observed(1.0), observed(2.0)])
    assert (cost.least, cost.fit_seconds, cost.most) == (2, 4, 8)
    assert cost.total_seconds == pytest.approx(0.8)


def test_a_trace_is_a_process_a_run():
    spans = [("report/print", 7.0, 2.0), ("start-up", 1.0, 9.0), ("report", 6.0, 3.5)]
    events = profile_summary.trace({"cold": observed(1.0, spans), "warm": observed(2.0, spans[:1])})["traceEvents"]
    assert [event["args"]["name"] for event in events if event["ph"] == "M"] == ["cold", "warm"]
    drawn = [(event["pid"], event["name"], event["ts"], event["dur"]) for event in events if event["ph"] == "X"]
    assert drawn == [
        (1, "cold", 1e6, 9e6),
        (1, "report", 6e6, 3.5e6),
        (1, "report/print", 7e6, 2e6),
        (2, "report/print", 7e6, 2e6),
    ]
