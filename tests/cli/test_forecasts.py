"""A file of forecasts on the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

QUICK = ("--sims", "6", "--window", "12")
# What of a symbol's result tells whose the forecasts were.
PROVENANCE = ("model", "decision", "strategy", "verdict", "reasons", "evidence")


@pytest.fixture
def history(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Our own forecasts of two symbols, in a file."""
    monkeypatch.chdir(tmp_path)
    assert cli("forecast", "ETHUSD", "NVDA", *QUICK, "--history", "--output", "own.csv").code == 0
    return "own.csv"


def results(cli, *words: str, symbols: tuple[str, ...] = ("ETHUSD", "NVDA")):
    ended = cli("backtest", *symbols, *QUICK, *words, "--json")
    assert ended.code == 0, ended.err
    return json.loads(ended.out)["symbols"]


def without(symbol, *keys: str):
    return {key: value for key, value in symbol.items() if key not in keys}


@pytest.mark.parametrize(("ending", "workers"), [("csv", "2"), ("parquet", "1")])
def test_our_own_forecasts_come_back_as_the_same_walk_to_the_byte(cli, history, ending, workers):
    file = f"own.{ending}"
    cli("forecast", "ETHUSD", "NVDA", *QUICK, "--history", "--output", file, "--overwrite")
    cli("backtest", "ETHUSD", "NVDA", *QUICK, "--output", "model")
    words = ("--forecasts", file, "--workers", workers)
    cli("backtest", "ETHUSD", "NVDA", *QUICK, *words, "--output", "file")
    assert Path("model/equity.csv").read_bytes() == Path("file/equity.csv").read_bytes()
    rows = [Path(place, "simulations.csv").read_text().replace(",clean\n", ",unknown\n") for place in ("model", "file")]
    assert rows[0] == rows[1]
    model, read = results(cli), results(cli, *words)
    assert [without(each, *PROVENANCE) for each in model] == [without(each, *PROVENANCE) for each in read]
    assert read[0]["model"]["name"] == file
    assert read[0]["model"]["exposure"] == {"clean": 0, "contaminated": 0, "unknown": 6}
    told = "the file does not tell when its forecasts were made, so they may have seen the evaluated bars"
    assert told in read[0]["verdict"] or read[0]["strategy"] is None
    unverified = "moves, 9 quantiles; unverified: the file does not say when it was made"
    assert read[0]["reasons"][0] == f"forecasts of {file}: {unverified}"
    assert read[0]["decision"] == "CAN'T TELL"


def test_the_header_says_what_the_file_holds_and_what_it_does_not_tell(cli, history):
    shown = " ".join(cli("backtest", "ETHUSD", *QUICK, "--full", "--forecasts", history).out.split())
    assert "Model own.csv " in shown
    told = "moves, 9 quantiles; unverified: the file does not say when it was made"
    assert f", {told}, 6 bars unknown" in shown
    brief = " ".join(cli("backtest", "ETHUSD", *QUICK, "--forecasts", history).out.split())
    assert f"• Forecasts of own.csv: {told}." in brief


def test_a_file_is_not_overwritten_and_needs_a_known_ending(cli, history):
    before = Path(history).read_bytes()
    again = cli("forecast", "NVDA", *QUICK, "--history", "--output", history)
    assert (again.code, again.err) == (2, "marketsim: --output own.csv: already exists; --overwrite replaces it\n")
    assert Path(history).read_bytes() == before
    assert cli("forecast", "NVDA", "--history", "--output", "own.txt").err.endswith("must end in .csv or .parquet\n")
    assert cli("forecast", "NVDA", "--history").code == cli("forecast", "NVDA", "--output", "a.csv").code == 2
    nowhere = cli("forecast", "NVDA", "--history", "--output", "no/own.csv")
    assert (nowhere.code, nowhere.err) == (2, "marketsim: --output no/own.csv: there is no folder no\n")
    assert (
        cli("forecast", "NVDA", "--overwrite").err
        == "marketsim: --overwrite needs --output FILE, the file to replace\n"
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--forecasts", "none.csv"), 2, "--forecasts none.csv: no such file or folder"),
        (
            ("--forecasts", "own.csv", "--model", "last-bar"),
            2,
            "takes the place of a model: leave out --model last-bar",
        ),
        (("--missing", "har"), 2, "is for --forecasts FILE, which is not given"),
        (("--forecasts", "own.csv", "--sims", "7"), 3, "own.csv lacks 1 of 20 forecasts, the first of them at"),
        (("--forecasts", "own.csv:arima"), 3, "its columns name no models, 'arima' neither"),
    ],
)
def test_what_cannot_be_is_one_clear_line(cli, history, words, code, said):
    ended = cli("backtest", "ETHUSD", *QUICK, *words)
    assert ended.code == code
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_files_stand_beside_models_in_a_comparison(cli, history):
    Path("again.csv").write_bytes(Path(history).read_bytes())
    ended = cli(
        "compare-models", "ETHUSD", *QUICK, "--forecasts", f"{history},again.csv", "--models", "har,last-bar", "--json"
    )
    rows = json.loads(ended.out)["symbols"][0]["models"]
    assert [row["model"] for row in rows] == ["own.csv", "again.csv", "har", "last-bar"]
    assert [row["exposure"]["unknown"] for row in rows] == [6, 6, 0, 0]
    same = ("pinball_bps", "coverage", "strategies", "close_direction")
    assert [[row[key] for key in same] for row in rows[:2]] == [[rows[2][key] for key in same]] * 2
    shown = " ".join(cli("compare-models", "ETHUSD", *QUICK, "--forecasts", history, "--models", "har").out.split())
    assert "own.csv: moves, 9 quantiles; unverified: the file does not say when it was made; evaluated bars: 6" in shown
    assert cli("compare-models", "ETHUSD", "--forecasts", "none.csv").code == 2
