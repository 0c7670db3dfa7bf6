"""Saved runs that are damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

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


def test_a_place_without_runs_is_one_line_and_3(cli, tmp_path):
    for arguments in (["list", str(tmp_path)], ["list", str(tmp_path / "absent")], ["show", str(tmp_path)]):
        ended = cli("runs", *arguments)
        assert (ended.code, ended.out) == (3, "")
        assert "`marketsim backtest --output" in ended.err
        assert ended.err.count("\n") == 1
