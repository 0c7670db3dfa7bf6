"""A model of one's own on the command line: written, tried, edited, compared."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

QUICK = ("--sims", "3", "--window", "5")


@pytest.fixture
def model(cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The model that `models new` writes into the working directory."""
    monkeypatch.chdir(tmp_path)
    written = json.loads(cli("models", "new", "mymodel.py", "--json").out)
    assert written["model"] == "mymodel.py:MyModel"
    return str(written["model"])


def run(cli, model: str, *options: str):
    return json.loads(cli("backtest", "ETHUSD", *QUICK, "--model", model, *options, "--json").out)["symbols"][0]


def test_the_template_works_is_cached_and_an_edit_makes_it_another(cli, model):
    assert len(Path("mymodel.py").read_text().splitlines()) <= 25
    first, again = run(cli, model), run(cli, model)
    assert (first["model"]["name"], first["model"]["exposure"]["clean"]) == ("my-model", 3)
    assert [symbol["model"]["fingerprint"] for symbol in (first, again)] == [first["model"]["fingerprint"]] * 2
    source = Path("mymodel.py").read_text()
    prints = {first["model"]["fingerprint"]}
    for edited in (source.replace("250", "249"), source + "# a comment\n"):
        Path("mymodel.py").write_text(edited)
        prints.add(run(cli, model)["model"]["fingerprint"])
    prints.add(run(cli, model, "--model-option", "span=100")["model"]["fingerprint"])
    assert len(prints) == 4
    info = json.loads(cli("cache", "info", "--json").out)
    assert sorted(each["forecasts"] for each in info["models"]) == [9] * 4  # the second run made none


def test_a_file_that_is_there_is_not_overwritten(cli, model):
    Path("mymodel.py").write_text("mine")
    ended = cli("models", "new", "mymodel.py")
    assert (ended.code, Path("mymodel.py").read_text()) == (2, "mine")
    assert cli("models", "new", "mymodel").err == "marketsim: mymodel must end in .py, such as mymodel.py\n"
    assert "No such file or directory" in cli("models", "new", "nowhere/mymodel.py").err


def test_it_stands_beside_others_and_in_a_blend(cli, model):
    models = f"har,{model},blend:har"
    ended = cli("compare-models", "ETHUSD", *QUICK, "--models", models, "--model-option", "span=50", "--json")
    rows = json.loads(ended.out)["symbols"][0]["models"]
    assert [(row["model"], row["status"]) for row in rows] == [("har", "ok"), (model, "ok"), ("blend:har", "ok")]
    assert run(cli, f"blend:har,{model}")["model"]["name"] == "blend"


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_model_that_fails_is_one_line_a_symbol(cli, model, workers):
    Path("mymodel.py").write_text(Path("mymodel.py").read_text().replace("return forecasts", "return forecasts[:, :3]"))
    ended = cli("backtest", "ETHUSD", "NVDA", *QUICK, "--model", model, "--workers", workers)
    assert ended.code == 1
    assert ended.err.count("model 'my-model' returned shape (9, 3, 9), not (9, 4, 9)") >= 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--model", "absent.py:Model"), "absent.py: No such file or directory; `marketsim models new FILE`"),
        (("--model", "mymodel.py"), "names a file: add its class, as in mymodel.py:CLASS"),
        (("--model", "mymodel.py:Mine"), "no 'Mine' in it; there is MyModel"),
        (("--model", "hat:small"), "did you mean 'har'?"),
        (("--model-option", "span"), "'span' must be KEY=VALUE"),
        (("--model-option", "span=1", "--model-option", "span=2"), "'span' must be given once"),
        (("--model-option", "span=1"), "model 'har' does not use it"),
    ],
)
def test_a_wrong_name_or_option_is_one_line_and_2(cli, model, arguments, words):
    ended = cli("backtest", "ETHUSD", *arguments)
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert words in ended.err


def test_a_cache_of_it_can_be_verified(cli, model):
    run(cli, model)
    ended = cli("cache", "verify", "ETHUSD", "--model", model, "--json")
    assert json.loads(ended.out)["symbols"] == [{"symbol": "ETHUSD", "cached": 9, "checked": 9, "different": 0}]
