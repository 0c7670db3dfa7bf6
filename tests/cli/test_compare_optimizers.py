"""`marketsim compare-optimizers`: tables, documents, pictures, and what is wrong before anything is run."""

from __future__ import annotations

import csv
import importlib.util
import json

import pytest

from marketsim import registry

QUICK = ("--optimizers", "exact,brute,differential-evolution", "--sims", "11", "--window", "10", "--budget", "60")


def test_tables_say_what_was_compared_and_fit_a_terminal(cli):
    ended = cli("compare-optimizers", *QUICK)
    assert (ended.code, ended.err) == (0, "")
    text = " ".join(ended.out.split())
    for words in (
        "ETHUSD sample",
        "22: 11 windows of 10 bars",
        "always-on, expected fills",
        "60 evaluations",
        "3 seeds",
    ):
        assert words in text
    assert max(map(len, ended.out.splitlines())) <= 80
    first = ended.out[ended.out.index("always-on, in-sample, mean of both exit policies") :].splitlines()[4]
    assert first.split()[:2] in (["exact", "1"], ["exact", "1="])
    assert "budget" in ended.out


def test_the_widest_numbers_fit_a_terminal(cli, monkeypatch):
    from marketsim.comparison import ranking
    from marketsim.comparison.schema import OptimizerRow

    def wide(*arguments):
        return [
            OptimizerRow(
                name=name,
                status="timeout",
                message="",
                windows=70,
                trials=420,
                rank=16,
                tie=True,
                found_bps=-123.45,
                optimum_bps=-123.45,
                gap_bps=123.456,
                reached=1.0,
                out_of_sample_bps=-234.5,
                low_bps=-1234.0,
                high_bps=1234.0,
                optimum_out_of_sample_bps=-234.5,
                seconds=123.4567,
                ratio=123.456,
                evaluations=12345.0,
                overhead_seconds=1.234567,
            )
            for name in registry.OPTIMIZERS
        ]

    monkeypatch.setattr(ranking, "rank", wide)
    out = cli("compare-optimizers", *QUICK).out
    assert max(map(len, out.splitlines())) <= 80
    for number in ("123.456", "-1234 .. +1234", "1,234,567", "123.4567", "timeout", "70/11"):
        assert number in out


def test_what_ran_on_fewer_windows_says_so_and_has_an_optimum_of_its_own(cli, monkeypatch):
    from marketsim.comparison import optimizers

    monkeypatch.setattr(optimizers, "spread_order", lambda count: [3, 5])
    ended = cli("compare-optimizers", *QUICK)
    rows = [line.split() for line in ended.out.splitlines() if line.startswith("brute")]
    assert len(rows) == 3 and all("2/11" in row for row in rows)
    assert "is compared with the optimum of these windows" in " ".join(ended.out.split())
    assert json.loads(cli("compare-optimizers", *QUICK, "--json").out)["optimizers"][0]["windows"] == 2


def test_the_document_is_what_output_writes_and_the_files_hold_every_run(cli, tmp_path):
    ended = cli("compare-optimizers", "nvda", *QUICK, "--json", "--output", str(tmp_path / "out"))
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (tmp_path / "out" / "optimizers.json").read_text()
    document = json.loads(ended.out)
    assert document["schema"] == "marketsim.compare-optimizers/2"
    assert document["problem"]["name"] == "NVDA"
    assert document["problem"]["strategy"] == "entry-exit"
    assert document["limits"] == {"evaluations": 60, "seconds": None, "tolerance": 1e-05}
    assert {row["name"] for row in document["optimizers"]} == {"exact", "brute", "differential-evolution"}
    assert all(row["least_gap_bps"] >= 0 for row in document["optimizers"])
    with open(tmp_path / "out" / "trials.csv", newline="") as file:
        runs = list(csv.DictReader(file))
    assert len(runs) == 22 + 22 + 3 * 22
    with open(tmp_path / "out" / "history.csv", newline="") as file:
        steps = list(csv.DictReader(file))
    assert len(steps) >= len(runs)


@pytest.mark.parametrize(("suffix", "other"), [("png", "svg"), ("html", "html")])
def test_pictures_are_drawn(cli, tmp_path, suffix, other):
    if importlib.util.find_spec({"png": "matplotlib", "html": "plotly"}[suffix]) is None:
        pytest.skip("needs the extra 'plots'")
    landscape, history = tmp_path / f"landscape.{suffix}", tmp_path / f"history.{other}"
    ended = cli(
        "compare-optimizers", "--problem", "reference", *QUICK[:2], "--budget", "40",
        "--landscape", str(landscape), "--history", str(history),
    )  # fmt: skip
    assert (ended.code, ended.err) == (0, "")
    for path in (landscape, history):
        holds = {".png": b"\x89PNG", ".svg": b"<svg", ".html": b"differential-evolution"}[path.suffix]
        assert holds in path.read_bytes()
        assert b"mathdefault" not in path.read_bytes(), "labels of ticks are plain numbers"
    if suffix == "html":
        assert b"proven optimum" in landscape.read_bytes()


def test_the_history_as_a_table(cli, tmp_path):
    path = tmp_path / "history.csv"
    assert cli("compare-optimizers", *QUICK, "--history", str(path)).code == 0
    with open(path, newline="") as file:
        steps = list(csv.DictReader(file))
    assert {step["optimizer"] for step in steps} == {"exact", "brute", "differential-evolution"}
    assert all(float(step["gap"]) >= 0 for step in steps)
    assert all(float(step["gap"]) < 1e-9 for step in steps if step["optimizer"] == "exact")


def test_equal_seconds_instead_of_equal_evaluations(cli):
    ended = cli("compare-optimizers", *QUICK[:6], "--seconds", "0.02", "--json")
    document = json.loads(ended.out)
    assert document["limits"]["evaluations"] is None
    status = {row["name"]: row["status"] for row in document["optimizers"]}
    assert status["brute"] == "timeout"


def test_what_is_not_installed_is_a_row_that_says_how(cli, monkeypatch):
    monkeypatch.setitem(registry.OPTIMIZERS, "cma", "no_such_library:Cma")
    ended = cli("compare-optimizers", "--optimizers", "exact,cma", *QUICK[2:])
    assert ended.code == 0
    assert "not installed" in ended.out
    assert "pip install 'marketsim[optimizers]'" in " ".join(ended.out.split())
    ended = cli("backtest", "ETHUSD", "--optimizer", "cma", "--sims", "3")
    assert (ended.code, ended.out) == (2, "")
    assert "pip install 'marketsim[optimizers]'" in ended.err


def test_every_optimizer_can_fit_a_backtest(cli):
    ended = cli("backtest", "ETHUSD", "--optimizer", "brute", "--sims", "3", "--window", "5", "--json")
    assert json.loads(ended.out)["symbols"][0]["optimizer"]["name"] == "brute"


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("--optimizers exat", "did you mean 'exact'"),
        ("--optimizers ,", "needs a name"),
        ("--problem unreal", "real or reference"),
        ("ETHUSD --problem reference", "leave the symbol out"),
        ("--landscape a.gif", ".png, .svg or .html"),
        ("--history no/such/folder.csv", "no folder"),
        ("--budget 0", "--budget"),
        ("--seeds none", "--seeds"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(arguments, hint, cli):
    ended = cli("compare-optimizers", *arguments.split())
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert hint in ended.err


def test_a_picture_without_its_library_is_one_line_before_the_work(cli, monkeypatch, tmp_path):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    ended = cli("compare-optimizers", "--landscape", str(tmp_path / "a.png"))
    assert (ended.code, ended.out) == (2, "")
    assert "marketsim[plots]" in ended.err


def test_an_unknown_symbol_is_one_line(cli):
    ended = cli("compare-optimizers", "ETHUDS", *QUICK)
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
