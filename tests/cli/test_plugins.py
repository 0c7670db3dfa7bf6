"""Plug-ins of somebody else's: found by module or by entry point, and told apart in documents."""

from __future__ import annotations

import importlib.metadata
import json

import pytest

from marketsim import registry
from marketsim.errors import UsageError
from marketsim.results.code import code_digest
from marketsim.results.plugins import code_of, plugins_of
from marketsim.settings.settings import Settings
from marketsim.settings.validators import VALIDATORS
from tests.cli.test_startup import loaded

QUICK = ("--sims", "2", "--window", "5", "--strategy", "always-on")
SEARCH = "tests.contracts.outside:RandomSearch"
CODE = """
from marketsim.optimizers import Search

class Middle(Search):
    def search(self, objective, seed):
        objective([0.0, 0.0])
"""


@pytest.mark.parametrize(
    ("what", "place"),
    [("optimizer", "p:Middle"), ("source", "a.b:C"), ("executor", "a.b:C")],
)
def test_a_module_s_class_is_a_name_and_so_is_an_entry_point(what, place, monkeypatch):
    point = importlib.metadata.EntryPoint("mine", place, f"marketsim.{registry.GROUPS[what]}")
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: [point] if group == point.group else [])
    for name in (place, "mine"):
        assert VALIDATORS[what].check(name) == name
        assert registry.outside(what, name) == place
    for name in ("yours", "a.b:", ":C", "a-b:C", "file.py:C!", 3):
        with pytest.raises(ValueError, match="must be one of"):
            VALIDATORS[what].check(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("no_such_package.x:Y", "there is no module 'no_such_package'"),
        ("marketsim.optimizers.exact:Exat", "there is no 'Exat' in marketsim.optimizers.exact"),
        ("exat", "did you mean 'exact'"),
    ],
)
def test_what_is_not_there_is_one_line(name, words):
    with pytest.raises(UsageError, match=words):
        registry.load(registry.OPTIMIZERS, "optimizer", name)


def test_a_run_with_an_optimizer_from_outside_says_what_it_was(cli, tmp_path, monkeypatch):
    (tmp_path / "middle_search.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    directory = tmp_path / "run"
    done = cli(
        "backtest", "ETHUSD", *QUICK, "--optimizer", "middle_search:Middle", "--json", "--output", str(directory)
    )
    assert (done.code, done.err) == (0, "")
    document = json.loads(done.out)
    assert json.loads((directory / "results.json").read_text()) == document
    facts = document["plugins"]["optimizer"]
    assert facts["place"] == "middle_search:Middle"
    assert len(facts["digest"]) == 40
    assert document["symbols"][0]["optimizer"]["name"] == "middle_search:Middle"


def test_without_any_a_document_says_nothing_of_them(cli):
    assert "plugins" not in json.loads(cli("backtest", "ETHUSD", *QUICK, "--json").out)


def test_edited_code_is_other_code(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = []
    for name, code in (("first_search", CODE), ("second_search", CODE + "# edited\n")):
        (tmp_path / f"{name}.py").write_text(code)
        found.append(plugins_of({"optimizer": f"{name}:Middle", "source": "sample"})["optimizer"].digest)
    assert None not in found
    assert found[0] != found[1]
    assert code_of(Settings()) == code_digest() != code_of(Settings.of(optimizer="first_search:Middle"))


def test_a_source_from_outside_is_read_and_named(cli, tmp_path):
    from tests.candles import random_bars

    random_bars(80).to_frame().to_csv(tmp_path / "AAPL.csv")
    words = ("--source", "tests.contracts.outside:FolderSource", "--data", str(tmp_path))
    document = json.loads(cli("backtest", "AAPL", *QUICK, *words, "--json").out)
    assert document["symbols"][0]["bars"]["source"] == "folder"
    assert document["plugins"]["source"]["place"] == words[1]
    assert cli("data", "list", *words).out.count("AAPL") == 1


def test_other_optimizers_are_compared_with_it(cli):
    done = cli(
        "compare-optimizers", "NVDA", "--optimizers", f"exact,{SEARCH}", "--sims", "2", "--window", "5", "--json"
    )
    assert done.code == 0
    rows = {row["name"]: row for row in json.loads(done.out)["optimizers"]}
    assert rows[SEARCH]["status"] in ("done", "budget")


def test_nothing_is_asked_of_installed_packages_while_names_are_known(tmp_path):
    needless = ("importlib.metadata", "marketsim.models.source_digest")
    assert loaded("backtest", "ETHUSD", *QUICK, "--cache-dir", str(tmp_path), among=needless) == (0, set())
