from __future__ import annotations

import json
import subprocess
import sys
from types import SimpleNamespace

import jsonschema
import pytest

from marketsim.cli import observed_run, profiled_runs
from marketsim.cli.profile import SCIPY
from marketsim.cli.profile_summary import search_cost
from marketsim.errors import DataError
from tests.cli.test_startup import HEAVY, PROGRAM
from tests.observed import observed
from tests.schemas import PLACE

pytestmark = pytest.mark.slow

QUICK = ("ETHUSD", "--sims", "1", "--window", "5")
SEARCHES = ("direct", "brute")


@pytest.fixture(scope="module")
def profiled(tmp_path_factory):
    """One real profile: its document, its files, and the heavy modules that the measuring process imported."""
    place = tmp_path_factory.mktemp("profile")
    files = ("--trace", str(place / "trace.json"), "--flamegraph", str(place / "flame.html"))
    patient = "import marketsim.cli.progress as progress; progress.LOG_PATIENCE = 1e6"  # on a machine that is busy
    few = f"from marketsim.cli import profile; profile.SCIPY = {SEARCHES}"  # a search takes seconds to start
    program = [
        sys.executable,
        "-c",
        f"{patient}\n{few}\n{PROGRAM.format(heavy=HEAVY)}",
        "profile",
        *QUICK,
        *files,
        "--repeat",
        "1",
        "--json",
    ]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    return SimpleNamespace(
        document=json.loads(done.stdout),
        ended=done.stderr,
        trace=json.loads((place / "trace.json").read_text()),
        flamegraph=(place / "flame.html").read_text(),
    )


def test_it_measures_without_a_library_of_its_own(profiled):
    assert profiled.ended == "\n0 "


def test_the_document_keeps_to_its_schema(profiled):
    assert profiled.document["schema"] == "marketsim.profile/2"
    schema = json.loads((PLACE / "profile-2.json").read_text())
    jsonschema.Draft202012Validator(schema).validate(profiled.document)


@pytest.mark.parametrize("run", ["cold", "warm"])
def test_the_stages_of_a_run_add_up(run, profiled):
    row = profiled.document["runs"][run]
    stages = row["stages"]
    tops = [stage for name, stage in stages.items() if "/" not in name]
    assert list(stages)[:1] == ["start-up"]
    assert {"load", "forecast", "cache", "optimize", "simulate", "report"} < set(stages)
    for key in ("seconds", "peak_bytes"):
        assert sum(stage[key] for stage in tops) == pytest.approx(row[key])
        for name, stage in stages.items():
            parts = [part[key] for path, part in stages.items() if path.rpartition("/")[0] == name]
            assert sum(parts) <= stage[key] + 1e-9
    assert sum(stage["share"] for stage in tops) == pytest.approx(1)
    assert all(stage["seconds"] == stage["calls"] * stage["seconds_a_call"] for stage in stages.values())


def test_a_cold_run_forecasts_and_a_warm_one_reads(profiled):
    cold, warm = (profiled.document["runs"][run] for run in ("cold", "warm"))
    assert cold["forecasts"] == {"made": 7, "reused": 0, "hit_rate": 0}
    assert warm["forecasts"] == {"made": 0, "reused": 7, "hit_rate": 1}
    forecasting = {"forecast/model", "forecast/model/preparation", "forecast/model/forward", "cache/write"}
    assert forecasting < set(cold["stages"])
    assert not forecasting & set(warm["stages"])


def test_what_if_is_measured_against_the_warm_run(profiled):
    warm = profiled.document["runs"]["warm"]["seconds"]
    rows = {row["name"]: row for row in profiled.document["what_if"]}
    assert list(rows) == ["without the cache", "and one forecast per call", "direct in place of exact"]
    assert all(row["ratio"] == pytest.approx(row["seconds"] / warm) for row in rows.values())
    assert rows["direct in place of exact"]["ratio"] > 1


def test_a_try_costs_its_profit_and_the_optimizer_s_overhead(profiled):
    rows = {row["optimizer"]: row for row in profiled.document["bottleneck"]}
    assert list(rows) == [*SEARCHES, "exact"]
    for name in SEARCHES:
        row = rows[name]
        parts = ("profit_seconds", "overhead_seconds", "counting_seconds")
        assert row["total_seconds"] == pytest.approx(sum(row[part] for part in parts))
        assert 0 < row["counting_seconds"] < row["total_seconds"]
        assert 0 < row["overhead_share"] < 1
    assert rows["direct"]["candidates_a_call"] == 1
    assert rows["brute"]["candidates_a_call"] > 1
    assert rows["brute"]["profit_seconds"] < rows["direct"]["profit_seconds"]
    assert rows["exact"]["evaluations_a_fit"] is None
    assert all(row["least"] == row["fit_seconds"] == row["most"] for row in rows.values())  # of one run each


def test_the_cost_of_a_fit_is_that_of_the_median_run_with_its_range():
    def run(search: float) -> SimpleNamespace:
        return SimpleNamespace(
            seconds={"optimize/search": search, "optimize/search/evaluate": 2.0},
            counts={"fits": 4, "optimize/search/evaluate": 100},
            calls={"optimize/search/evaluate": 50},
            counting=0.01,
        )

    cost = search_cost("direct", [run(8.0), run(4.0), run(6.0)])
    assert (cost.fit_seconds, cost.least, cost.most) == (1.5, 1.0, 2.0)
    assert (cost.evaluations_a_fit, cost.candidates_a_call) == (25, 2)
    assert (cost.total_seconds, cost.profit_seconds, cost.counting_seconds) == (0.06, 0.02, 0.005)
    assert cost.overhead_seconds == pytest.approx(0.035)


def test_the_trace_holds_both_runs(profiled):
    drawn = [event for event in profiled.trace["traceEvents"] if event["ph"] == "X"]
    for pid, run in enumerate(("cold", "warm"), 1):
        mine = [event for event in drawn if event["pid"] == pid]
        whole = 1e6 * profiled.document["runs"][run]["seconds"]
        assert {"start-up/interpreter", run, "load", "optimize/search", "report/print"} < {
            each["name"] for each in mine
        }
        assert all(0 <= event["ts"] <= event["ts"] + event["dur"] <= whole + 1e3 for event in mine)


def test_the_flamegraph_shows_our_functions(profiled):
    assert profiled.flamegraph.lower().startswith("<!doctype html>")
    assert "maximize" in profiled.flamegraph


@pytest.mark.parametrize(("way", "batch"), [("plain", "auto"), ("trace", "auto"), ("plain", "1")])
def test_profiling_leaves_the_results_as_they_are(way, batch, cli, tmp_path):
    unprofiled = cli("backtest", *QUICK, "--json", "--output", str(tmp_path / "unprofiled"))
    program = [sys.executable, "-m", "marketsim.cli.observed_run", str(tmp_path / "seen.json"), way, ""]
    words = ("backtest", *QUICK, "--batch", batch, "--json", "--cache", "off", "--output", str(tmp_path / "profiled"))
    done = subprocess.run([*program, *words], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (unprofiled.out, "")
    for name in ("results.json", "simulations.csv", "equity.csv"):
        assert (tmp_path / "profiled" / name).read_bytes() == (tmp_path / "unprofiled" / name).read_bytes()
    calls = json.loads((tmp_path / "seen.json").read_text())["calls"]
    assert calls["forecast/model/forward"] == (7 if batch == "1" else 1)


def test_copies_and_synchronizations_are_told_apart():
    counts = {
        "Memcpy HtoD (Pageable -> Device)": 5,
        "Memcpy HtoD (Pinned -> Device)": 2,
        "Memcpy DtoH (Device -> Pageable)": 3,
        "Memcpy DtoD (Device -> Device)": 100,
        "cudaMemcpyAsync": 10,
        "cudaStreamSynchronize": 4,
        "cudaDeviceSynchronize": 1,
        "aten::copy_": 50,
    }
    assert observed_run.traffic(counts) == {"to_device": 7, "to_host": 3, "synchronizations": 5}


@pytest.fixture
def made_up(monkeypatch):
    """No process is started; what would have been, and what it would have been told."""
    started = []

    def observe(words, directory, way="plain", detail=""):
        started.append((way, detail, list(words)))
        return observed(1e-3 + 1e-5 * len(started))

    monkeypatch.setattr(profiled_runs, "observe", observe)
    return started


def test_the_tables_fit_80_columns(cli, made_up, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    for repeat in ("1", "3"):
        ended = cli("profile", "--repeat", repeat)
        assert (ended.code, ended.err) == (0, "")
        assert max(map(len, ended.out.splitlines())) <= 80
        assert ended.out.count("Min .. max") == (5 if repeat == "3" else 0)
        for words in (
            "cores",
            "ETHUSD, cold run",
            "    evaluate",
            "the rest",
            "hit rate 25%",
            "one forecast per call",
            "GPU",
        ):
            assert words in ended.out
        assert "differential-evolution " in ended.out


def test_every_run_is_the_main_job_with_one_thing_changed(cli, made_up):
    words = ("--repeat", "1", "--sims", "9", "--fast", "--model", "last-bar", "--optimizer", "direct")
    cli("profile", "nvda", *words, "--json")
    assert all(words[0] == "backtest" and words[-2:] == ["--", "nvda"] for _, _, words in made_up)
    assert all("--fast" in words for _, _, words in made_up)
    first, cold, warm, bare, single, swapped, *_ = [
        {word: words[i + 1] for i, word in enumerate(words[:-1]) if word.startswith("--")} for _, _, words in made_up
    ]
    places = [each["--cache-dir"] for each in (first, cold, warm, swapped)]
    assert places[1] == places[2] == places[3] != places[0]
    assert {each["--cache-url"] for each in (first, cold, warm, swapped)} == {""}
    assert bare["--cache"] == single["--cache"] == "off"
    assert ("--batch" in bare, single["--batch"]) == (False, "1")
    assert [each["--optimizer"] for each in (cold, warm, bare, single, swapped)] == [*["direct"] * 4, "exact"]
    assert cold["--sims"] == "9"
    searches = [words for _, _, words in made_up[6:]]
    assert all(words[words.index("--strategy") + 1] == "always-on" for words in searches)
    assert all(words[words.index("--sims") + 1] == "5" for words in searches)
    assert [words[words.index("--optimizer") + 1] for words in searches] == [*SCIPY]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("--repeat 0", "--repeat"),
        ("--trace nowhere/trace.json", "--trace nowhere/trace.json: there is no folder nowhere"),
        ("--flamegraph .", "--flamegraph needs the name of a file"),
        ("--model hat", "'har'"),
    ],
)
def test_a_wrong_command_line_starts_nothing(arguments, hint, cli, made_up):
    ended = cli("profile", *arguments.split())
    assert (ended.code, ended.out, made_up) == (2, "", [])
    assert hint in ended.err
    assert ended.err.count("\n") == 1


def test_a_flamegraph_needs_its_extra(cli, made_up, monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    ended = cli("profile", "--flamegraph", str(tmp_path / "f.html"))
    assert (ended.code, made_up) == (2, [])
    assert "marketsim[profile]" in ended.err


def test_a_symbol_without_bars_is_one_line_and_3(cli):
    ended = cli("profile", "XXX")
    assert (ended.code, ended.out) == (DataError.exit_code, "")
    assert ended.err.startswith("marketsim: no bars of XXX")
    assert ended.err.count("\n") == 1
