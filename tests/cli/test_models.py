from __future__ import annotations

import json

from marketsim import registry
from marketsim.models.kronos import TRAINED_UNTIL, Kronos
from tests.cli.test_startup import loaded


def test_every_model_is_listed_with_what_is_known_of_it(cli):
    ended = cli("models", "list", "--json")
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    rows = {row["name"]: row for row in document["models"]}
    assert document["schema"] == "marketsim.models.list/3"
    assert list(rows) == [*registry.MODELS, *registry.ENSEMBLES]
    assert rows["kronos"]["trained_until"] == TRAINED_UNTIL
    assert rows["chronos"]["trained_until"] == "unknown"
    for name in registry.HISTORY_MODELS:
        extra = registry.MODEL_EXTRAS.get(name)
        assert (rows[name]["trained_until"], rows[name]["extra"], rows[name]["installed"]) == (None, extra, True)
    for name, variants in registry.VARIANTS.items():
        assert (rows[name]["variants"], rows[name]["extra"]) == (list(variants), name)


def test_the_table_has_a_row_a_model(cli, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    text = cli("models", "list").out
    assert max(map(len, text.splitlines())) <= 80
    for name in registry.MODELS:
        assert any(line.startswith(f"{name} ") for line in text.splitlines())


def test_a_model_without_its_package_is_not_installed(cli, monkeypatch):
    monkeypatch.setattr(Kronos, "installed", lambda *_: False)
    rows = {row["name"]: row["installed"] for row in json.loads(cli("models", "list", "--json").out)["models"]}
    assert (rows["kronos"], rows["har"]) == (False, True)


def test_no_model_s_library_is_imported():
    assert loaded("models", "list", "--json") == (0, {"numpy"})
    assert loaded("models", "--help") == (0, set())


def test_what_is_not_offered_says_why_where_it_is_asked_for(cli):
    ended = cli("backtest", "ETHUSD", "--model", "zoo:tabicl")
    assert (ended.code, ended.out) == (2, "")
    assert "model 'zoo:tabicl' is not offered: its weights are a pickle" in ended.err
    shown = " ".join(cli("models", "list").out.split())
    assert "zoo:ts-icl is not offered: its package tsicl needs Python 3.12." in shown
