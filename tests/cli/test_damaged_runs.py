"""Saved runs that are damaged."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.saved_runs import changed as changed
from tests.cli.saved_runs import seal_again
from tests.cli.saved_runs import written as written


def wrong_schema(path: Path) -> None:
    path.write_text('{"schema": "another/1"}')


def no_json(path: Path) -> None:
    path.write_text("{")


def a_list(path: Path) -> None:
    path.write_text("[1]")


def not_finite(path: Path) -> None:
    path.write_text(path.read_text().replace('"window": 10', '"window": NaN'))


def bytes_(path: Path) -> None:
    path.write_bytes(b"\xff\xfe")


def nested(path: Path) -> None:
    path.write_text("[" * 100_000)


def no_symbols(path: Path) -> None:
    path.write_text(path.read_text().replace('"symbols"', '"cymbals"'))


def no_fingerprint(path: Path) -> None:
    path.write_text(path.read_text().replace('"fingerprint"', '"thumb"'))


def gone(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize(
    "damage", [wrong_schema, no_json, a_list, not_finite, bytes_, nested, no_symbols, no_fingerprint, gone]
)
@pytest.mark.parametrize("sealed", [True, False])
def test_bad_results_are_one_line_and_3(damage, sealed, cli, written, tmp_path):
    bad = shutil.copytree(written / "base", tmp_path / "bad")
    damage(bad / "results.json")
    if sealed and (bad / "results.json").exists():
        seal_again(bad)
    for arguments in (["list", str(bad)], ["show", str(bad)], ["compare", str(written / "base"), str(bad)]):
        ended = cli("runs", *arguments, "--json")
        assert ended.code == 3
        assert ended.err.count("\n") == 1
        assert ended.err.startswith(f"marketsim: {bad}")
        assert "Traceback" not in ended.err


def test_one_bad_run_leaves_the_others_in_the_list(cli, written, tmp_path):
    bad = shutil.copytree(written, tmp_path / "all") / "base" / "results.json"
    bad.write_text("{}")
    ended = cli("runs", "list", str(tmp_path / "all"), "--json")
    assert ended.code == 4
    assert len(json.loads(ended.out)["runs"]) == 2
    assert ended.err.startswith(f"marketsim: {bad}: damaged, or changed since it was written")


@pytest.mark.parametrize("text", [None, "not,a,table\n1,2,3\n"])
def test_simulations_that_are_missing_or_changed_are_one_line_and_3(text, cli, written, tmp_path):
    bad = shutil.copytree(written / "base", tmp_path / "bad") / "simulations.csv"
    bad.unlink() if text is None else bad.write_text(text)
    ended = cli("runs", "compare", str(written / "base"), str(bad.parent))
    assert (ended.code, ended.out) == (3, "")
    assert ended.err.startswith(f"marketsim: {bad}: ")
    assert ended.err.count("\n") == 1


def test_results_that_the_tables_cannot_show_are_one_line_and_3(cli, changed):
    ended = cli("runs", "show", changed(lambda document: document["symbols"][0]["bars"].pop("gaps")))
    assert ended.code == 3
    assert "not results as this version writes them: Object missing required field `gaps`" in ended.err


FORGED: list[tuple[Callable[[Any], Any], str]] = [
    (lambda d: d["symbols"][0]["rows"].clear(), "ETHUSD: its rows and its plan are not of the same strategies"),
    (lambda d: d["symbols"][0]["plan"].pop(), "ETHUSD: its rows and its plan are not of the same strategies"),
    (lambda d: d["symbols"][0]["rows"].pop(), "ETHUSD: it has no row of buy-and-hold"),
    (lambda d: d["symbols"][0].update(strategy="x"), "ETHUSD: its evidence is not of its strategies"),
    (lambda d: d["symbols"][0].update(fill="x"), "ETHUSD: no fill rule is called 'x'"),
    (lambda d: d["settings"].update(fill="x"), "setting fill: got 'x', must be one of provable, expected, touch"),
    (lambda d: d["settings"].update(seed=None), "setting seed: got None, must be a whole number"),
    (lambda d: d["settings"].pop("seed"), "setting seed: it is missing"),
]


@pytest.mark.parametrize(("forge", "why"), FORGED, ids=[why for _, why in FORGED])
def test_forged_results_with_the_right_digest_are_one_line_and_3(forge, why, cli, changed):
    bad = changed(forge)
    for arguments in (["runs", "list", bad], ["runs", "show", bad, "--full"], ["report", bad]):
        ended = cli(*arguments)
        assert ended.code == 3
        assert ended.err.endswith(f"results.json: not results as this version writes them: {why}\n"), ended.err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (lambda text: text.replace("evaluated", "when", 1), "other columns"),
        (lambda text: text[: text.rindex("NVDA")], "other rows of NVDA than in the results"),
        (lambda text: "", "other rows of ETHUSD than in the results"),
        (lambda text: text.replace(",long,", ",long,x", 1), "NVDA: Expected `float`, got `str`"),
        (lambda text: text + "\xff", "'utf-8' codec can't decode byte 0xff"),
    ],
)
def test_forged_rows_with_the_right_digest_are_one_line_and_3(text, why, cli, written, tmp_path):
    bad = shutil.copytree(written / "base", tmp_path / "bad")
    path = bad / "simulations.csv"
    path.write_text(text(path.read_text()), encoding="latin-1")
    seal_again(bad)
    ended = cli("report", str(bad), "--cache", "off")
    assert ended.code == 3
    assert ended.err.startswith(f"marketsim: {path}: not as this version writes it: {why}")
    assert ended.err.count("\n") == 1


def test_a_place_without_runs_is_one_line_and_3(cli, tmp_path):
    for arguments in (["list", str(tmp_path)], ["list", str(tmp_path / "absent")], ["show", str(tmp_path)]):
        ended = cli("runs", *arguments)
        assert (ended.code, ended.out) == (3, "")
        assert "`marketsim backtest --output" in ended.err
        assert ended.err.count("\n") == 1
