"""`marketsim runs` on what `marketsim backtest --output` wrote."""

from __future__ import annotations

import csv
import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.cli.saved_runs import changed as changed
from tests.cli.saved_runs import write
from tests.cli.saved_runs import written as written


def compared(cli, left: Path | str, right: Path | str) -> dict[str, Any]:
    ended = cli("runs", "compare", str(left), str(right), "--json")
    assert (ended.code, ended.err) == (0, "")
    document: dict[str, Any] = json.loads(ended.out)
    assert document["schema"] == "marketsim.runs.compare/1"
    return document


def test_list_finds_the_runs_below(cli, written, monkeypatch):
    ended = cli("runs", "list", str(written), str(written / "base"), "--json")
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert document["schema"] == "marketsim.runs.list/2"
    rows = {Path(row["directory"]).name: row for row in document["runs"]}
    assert len(document["runs"]) == 3
    assert rows["base"]["symbols"] == ["ETHUSD", "NVDA"]
    assert rows["touch"]["changed"] == {"sims": 3, "window": 10, "fill": "touch"}
    assert (rows["touch"]["failed"], rows["base"]["failed"]) == (1, 0)
    results = json.loads((written / "base" / "results.json").read_text())
    profits = [row["headline"] for symbol in results["symbols"] for row in symbol["rows"] if row["name"] == "always-on"]
    assert rows["base"]["headline"]["always-on"] == pytest.approx(sum(profits) / 2)
    monkeypatch.setenv("COLUMNS", "200")  # the folder's name may be long
    text = cli("runs", "list", str(written)).out
    assert "fill touch" in text and "1 failed" in text


def test_list_has_dates_and_models(cli, written, tmp_path, monkeypatch):
    copy = shutil.copytree(written / "base", tmp_path / "base")
    os.utime(copy / "run.json", (1e9, 1e9))
    (row,) = json.loads(cli("runs", "list", str(tmp_path), "--json").out)["runs"]
    symbols = json.loads((copy / "results.json").read_text())["symbols"]
    assert row["finished"] == "2001-09-09T01:46:40Z"
    assert row["models"] == [{"name": "har", "version": symbols[0]["model"]["version"]}]
    assert row["last_bar"] == max(symbol["bars"]["last"] for symbol in symbols) == "2025-02-14"
    monkeypatch.chdir(tmp_path)
    text = " ".join(cli("runs", "list", ".").out.split())
    for words in ("2001-09-09", "01:46", f"har {row['models'][0]['version']}", row["last_bar"]):
        assert words in text


def test_tables_keep_to_80_columns(cli, written, monkeypatch):
    monkeypatch.chdir(written)
    monkeypatch.setenv("COLUMNS", "80")
    for arguments in ("list .", "show base deep/touch", "compare base deep/touch", "compare base earlier"):
        ended = cli("runs", *arguments.split())
        assert (ended.code, ended.err) == (0, "")
        assert max(map(len, ended.out.splitlines())) <= 80
        assert "deep/touch" in ended.out or "earlier" in ended.out


def test_show_prints_the_settings_and_the_tables_of_the_run(cli, written):
    run = str(written / "deep" / "touch")
    text = " ".join(cli("runs", "show", run, "--full").out.split())
    for part in (
        "By marketsim 0",
        "fill touch *",
        "window 10 *",
        "seed 42 s",
        "expected fills (fit: touch)",
        "ABSENT failed: ",
        "Risk",
    ):
        assert part in text
    text = " ".join(cli("runs", "show", run).out.split())
    for part in ("By marketsim 0", "fill touch", "window 10", "expected fills (fit: touch)", "ABSENT failed: "):
        assert part in text
    assert "seed 42" not in text and "Risk" not in text
    document = json.loads(cli("runs", "show", str(written / "base"), "--json").out)
    assert document["runs"][0]["results"] == json.loads((written / "base" / "results.json").read_text())


def test_show_of_many_symbols_is_a_summary(cli, tmp_path):
    write(tmp_path / "many", ["ETHUSD", "NVDA", "BTCUSD", "MSFT"])
    brief, full = (cli("runs", "show", str(tmp_path / "many"), *more).out for more in ((), ("--full",)))
    assert (brief.count("all 4"), brief.count("No order for")) == (2, 0)
    assert full.count("No order for") == 4
    assert full.count("Risk, annualized") == 4


def test_a_run_agrees_with_itself(cli, written):
    document = compared(cli, written / "base", written / "base")
    assert document["differences"] == []
    assert [row["difference"] for row in document["profits"]] == [0.0] * 4
    assert "The runs agree" in cli("runs", "compare", str(written / "base"), str(written / "base")).out


def test_a_setting_is_the_first_difference_and_has_its_price(cli, written):
    document = compared(cli, written / "base", written / "deep" / "touch")
    first, symbol, *rest = document["differences"]
    assert first == {"what": "setting", "where": "fill", "left": "expected", "right": "touch"}
    assert (symbol["what"], symbol["where"], symbol["left"]) == ("symbol", "ABSENT", None)
    assert {row["what"] for row in rest} == {"simulation"}
    results = [json.loads((written / place / "results.json").read_text()) for place in ("base", "deep/touch")]
    for row in document["profits"]:
        a, b = (
            each["headline"]
            for result in results
            for symbol in result["symbols"]
            for each in symbol.get("rows", ())
            if (symbol["symbol"], each["name"]) == (row["symbol"], row["strategy"])
        )
        assert (row["a"], row["b"], row["difference"]) == (a, b, b - a)
    lines = cli("runs", "compare", str(written / "base"), str(written / "deep" / "touch")).out.splitlines()
    assert "First difference: setting fill, A expected, B touch." in lines


def test_another_last_bar_does_not_shift_the_simulations(cli, written):
    document = compared(cli, written / "base", written / "earlier")
    assert [row["what"] for row in document["differences"]] == ["setting", *["bars"] * 2, *["simulation"] * 2]
    crypto = document["differences"][3]
    assert (crypto["where"], crypto["left"], crypto["right"]) == ("ETHUSD entry-exit 2020-12-08", "present", "absent")
    document = compared(cli, written / "earlier", written / "base")
    crypto = document["differences"][4]
    assert (crypto["where"], crypto["left"], crypto["right"]) == ("ETHUSD entry-exit 2020-12-05", "present", "absent")


def model(document: dict[str, Any]) -> None:
    document["symbols"][1]["model"]["fingerprint"] = "e" * 64


def version(document: dict[str, Any]) -> None:
    for symbol in document["symbols"]:
        symbol["libraries"]["numpy"] = "3.0"
    model(document)


def setting(document: dict[str, Any]) -> None:
    document["settings"]["a new one"] = [1, 2]
    version(document)


@pytest.mark.parametrize(
    ("edit", "found"),
    [
        (setting, [("setting", "a new one"), ("version", "numpy"), ("model", "NVDA")]),
        (version, [("version", "numpy"), ("model", "NVDA")]),
        (model, [("model", "NVDA")]),
    ],
)
def test_causes_come_before_effects(edit, found, cli, written, changed):
    document = compared(cli, written / "base", changed(edit))
    assert [(row["what"], row["where"]) for row in document["differences"]] == found


def test_the_first_bar_or_fill_that_differs_is_named(cli, written, changed):
    def edit(rows: list[dict[str, str]]) -> None:
        at = [row["symbol"] for row in rows].index("NVDA") + 1
        rows[at]["low"] = "1.5"
        rows[at]["trades"] = "7"
        rows[at + 2]["trades"] = "9"

    left = csv.DictReader((written / "base" / "simulations.csv").read_text().splitlines())
    row = next(row for row in left if (row["symbol"], row["simulation"]) == ("NVDA", "1"))
    document = compared(cli, written / "base", changed(edit, "simulations.csv"))
    where = f"NVDA entry-exit {row['evaluated']} low"
    assert document["differences"] == [{"what": "simulation", "where": where, "left": row["low"], "right": "1.5"}]
