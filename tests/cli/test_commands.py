from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from marketsim import __version__
from marketsim.cli.app import GROUPS, make_app
from marketsim.settings.settings import KEYS

CONFIGS = Path(__file__).parents[2] / "configs"
QUICK = ("--sims", "3", "--window", "5")


def broken(symbol: str, sides: str = "high") -> str:
    """A CSV file whose second bar has a High below its Low."""
    return "Date,Open,High,Low,Close\n2020-01-01,1,2,1,1\n2020-01-02,1,0.5,1,1\n2020-01-03,1,2,1,1\n"


def test_version(cli):
    assert cli("--version") == (0, f"marketsim {__version__}\n", "")


def test_help_names_every_command(cli):
    text = cli("--help").out
    for command in (
        "backtest",
        "fast",
        "forecast",
        "fills",
        "compare-optimizers",
        "config",
        "data",
        "cache",
        "runs",
        "profile",
        "--version",
        "--install-completion",
    ):
        assert command in text
    assert cli().out == text


@pytest.mark.parametrize("group", ["", *GROUPS])
def test_summaries_are_whole_at_80_columns(group, cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    listed = cli(*group.split(), "--help").out.partition("Commands:")[2].strip().splitlines()
    assert listed
    assert not [line for line in listed if not line.endswith((".", "?")) or line.endswith("...")]


def test_a_listed_command_has_the_first_words_of_the_whole_one():
    parts, whole = (typer.main.get_command(make_app(["--help"], whole)) for whole in (False, True))
    assert {name: command.help for name, command in parts.commands.items()} == {
        name: command.help.split("\n\n")[0] for name, command in whole.commands.items()
    }
    assert len(whole.commands["backtest"].params) > len(parts.commands["backtest"].params)


def test_what_is_completed_is_the_whole_application(tmp_path):
    words = {"_MARKETSIM_COMPLETE": "complete_bash", "COMP_WORDS": "marketsim backtest --mod", "COMP_CWORD": "2"}
    program = "import sys; sys.argv[0] = 'marketsim'; from marketsim.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | words, capture_output=True, text=True, check=False
    )
    assert "--model" in done.stdout


def test_options_reach_the_settings(cli):
    given = {
        "sims": 4,
        "window": 6,
        "model": "last-bar",
        "optimizer": "direct",
        "strategy": "all",
        "fill": "touch",
        "close_at_eod": "never",
        "bounds": [-0.01, 0.02],
        "fee_bps": 1.0,
        "slippage_bps": 2.0,
        "asset": "stock",
        "source": "sample",
        "start": "2019-01-01",
        "end": "2020-01-01",
        "on_bad_bars": "drop",
        "seed": 7,
    }
    words = [
        word
        for key, value in given.items()
        for word in (f"--{key.replace('_', '-')}", "-0.01,0.02" if key == "bounds" else str(value))
    ]
    ended = cli("backtest", "ETHUSD", *words, "--json")
    assert ended.code == 0
    settings = json.loads(ended.out)["settings"]
    assert {key: settings[key] for key in given} == given
    assert "cache" not in settings


def test_json_is_the_document_that_output_writes(cli, tmp_path):
    ended = cli("backtest", "ETHUSD", *QUICK, "--strategy", "entry-exit", "--json", "--output", str(tmp_path / "out"))
    assert ended.err == ""
    assert ended.out == (tmp_path / "out" / "results.json").read_text()
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "results.json",
        "simulations.csv",
        "equity.csv",
        "timing.json",
        "run.json",
    }
    with open(tmp_path / "out" / "simulations.csv", newline="") as file:
        assert len(list(csv.DictReader(file))) == 3


@pytest.mark.parametrize("way", ["command", "flag", "variable", "file"])
def test_fast_is_at_most_35_simulations(way, cli, monkeypatch):
    if way == "variable":
        monkeypatch.setenv("MARKETSIM_FAST_SIMULATE", "1")
    arguments = {
        "command": ["fast", "ETHUSD"],
        "flag": ["backtest", "ETHUSD", "--fast"],
        "variable": ["backtest", "ETHUSD"],
        "file": ["backtest", "ETHUSD", "--config", str(CONFIGS / "fast.toml")],
    }[way]
    assert json.loads(cli(*arguments, "--json").out)["symbols"][0]["evaluated"]["bars"] == 35
    assert json.loads(cli(*arguments, "--json", "--sims", "4").out)["symbols"][0]["evaluated"]["bars"] == 4


def test_tables_name_what_they_rest_on(cli):
    ended = cli("backtest", "eth/usd", "--full", *QUICK)
    assert ended.err == ""
    titles = (
        "ETHUSD  CAN'T TELL",
        "No order for 2020-12-09",
        "Profit",
        "Sum over all bars",
        "Trades",
        "Risk, annualized",
        "No plan, as the session 2020-12-09 is over",
        "The forecast range",
        "Timing",
        "from the start of",
    )
    places = [ended.out.index(title) for title in titles]
    assert places == sorted(places)
    assert "\x1b" not in ended.out


def test_one_symbol_that_fails_is_its_own_error(cli):
    ended = cli("backtest", "ETHUDS")
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith("marketsim: ")
    assert "did you mean 'ETHUSD'" in ended.err
    assert ended.err.count("\n") == 1


def test_when_all_symbols_fail_each_says_why(cli):
    ended = cli("backtest", "XXX", "YYY")
    assert (ended.code, ended.out) == (3, "")
    assert [line[:29] for line in ended.err.splitlines()] == [
        "marketsim: no bars of XXX in ",
        "marketsim: no bars of YYY in ",
    ]


def test_some_symbols_that_fail_leave_the_others(cli):
    ended = cli("backtest", "XXX", "ETHUSD", *QUICK)
    assert ended.code == 4
    assert "XXX failed: no bars of XXX" in ended.out
    assert "Profit" in ended.out
    assert ended.err == "marketsim: 1 of 2 symbols failed\n"
    ended = cli("backtest", "XXX", "ETHUSD", *QUICK, "--json")
    assert ended.code == 4
    assert [each["status"] for each in json.loads(ended.out)["symbols"]] == ["failed", "ok"]


def test_notes_are_on_stderr(cli, tmp_path):
    (tmp_path / "own.csv").write_text(broken("OWN"))
    ended = cli("data", "show", "OWN", "--data", str(tmp_path), "--on-bad-bars", "drop", "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["dropped"] == 1
    assert ended.err.startswith("note: OWN: 1 bad row")


def test_config_shows_where_each_value_came_from(cli, monkeypatch):
    monkeypatch.setenv("MARKETSIM_SIMS", "12")
    path = str(CONFIGS / "smoke.toml")
    settings = json.loads(cli("config", "--config", path, "--json").out)["settings"]
    assert list(settings) == list(KEYS)
    assert settings["sims"] == {"value": 12, "from": "MARKETSIM_SIMS"}
    assert settings["window"] == {"value": 20, "from": path}
    assert settings["seed"] == {"value": 42, "from": "default"}
    assert re.search(r"^sims +12 +MARKETSIM_SIMS *$", cli("config").out, re.MULTILINE)


def test_data_lists_and_checks_the_sample(cli):
    symbols = ["AAPL", "AMZN", "BTCUSD", "ETHUSD", "GOOG", "LTCUSD", "META", "MSFT", "NFLX", "NVDA", "TSLA"]
    checked = [row["symbol"] for row in json.loads(cli("data", "check", "--json").out)["symbols"]]
    shown = [line.split()[0] for line in cli("data", "list").out.splitlines() if line.strip()]
    assert checked == [word for word in shown if word in symbols] == symbols
    assert "2020-12-08" in cli("data", "show", "ethusd").out


def test_data_check_tells_good_from_bad(cli, tmp_path):
    (tmp_path / "BAD.csv").write_text(broken("BAD"))
    ended = cli("data", "check", "--data", str(tmp_path))
    assert ended.code == 3
    assert "line 3" in ended.err
    (tmp_path / "GOOD.csv").write_text(broken("GOOD").replace("0.5", "2"))
    ended = cli("data", "check", "--data", str(tmp_path), "--json")
    assert ended.code == 4
    assert [row["status"] for row in json.loads(ended.out)["symbols"]] == ["failed", "ok"]
