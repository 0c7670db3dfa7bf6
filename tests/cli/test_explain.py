"""`marketsim explain`, and that every column of every table is in the glossary."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketsim.cli import explain, output
from marketsim.execution.strategies import STRATEGIES
from marketsim.forecasting.contamination import EXPOSURES
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import KEYS

PACKAGE = Path(output.__file__).parents[1]
COMPUTED = (  # `marketsim data`
    *("Symbol", "Source", "Bars", "First", "Last", "Gaps", "Dropped", "Time", "Volume", "New", "Timeframe"),
)


def headers() -> Iterator[str]:
    """The strings in every tuple of column heads in the package's sources."""
    sources = (path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    for source in filter(re.compile("headers|heads|output.table|TextTable", re.IGNORECASE).search, sources):
        for node in ast.walk(ast.parse(source)):
            heads: list[ast.expr] = []
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).lower() in ("headers", "heads"):
                heads = [node.value]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("output.table", "TextTable"):
                heads = node.args[1:2]
            for head in heads:
                names = head.elts if isinstance(head, ast.Tuple) else []
                yield from (str(name.value) for name in names if isinstance(name, ast.Constant))


HEADERS = frozenset(headers())


@pytest.mark.parametrize("word", sorted({*HEADERS, *COMPUTED, *STRATEGIES, *FILLS, *EXPOSURES}))
def test_every_column_and_word_of_a_table_is_explained(word, cli):
    ended = cli("explain", *word.split())
    assert (ended.code, ended.err) == (0, ""), f"add '{word}' to marketsim/cli/glossary.md"


@pytest.mark.parametrize(
    "word",
    [
        *(
            "ambiguous legs",
            "in doubt",
            "walk",
            "after",
            "round trip",
            "buy",
            "sell",
            "timing",
            "hit rate",
            "standing aside",
        ),
        *(
            "limit order",
            "market order",
            "long",
            "short",
            "stake",
            "in-sample",
            "origin",
            "fit",
            "bps",
            "holding",
            "luck",
        ),
        *("left out", "made", "reused", "crypto", "har", "auto", "kronos", "direct", "simulation", "evaluated bar"),
    ],
)
def test_every_word_of_a_sentence_that_is_no_everyday_english_is_explained(word, cli):
    ended = cli("explain", *word.split())
    assert (ended.code, ended.err) == (0, "")


@pytest.mark.parametrize("key", KEYS)
def test_every_setting_is_explained_as_an_option_a_key_and_a_variable(key, cli):
    option = f"--{key.replace('_', '-')}"
    assert [cli("explain", word).code for word in (option, key, f"MARKETSIM_{key.upper()}")] == [0, 0, 0]


def test_an_option_is_not_taken_for_a_column_of_its_name(cli):
    assert "count never, by their probability, or always" in " ".join(cli("explain", "--fill").out.split())
    assert cli("explain", "fill").out.startswith("Fill %\n")


def test_there_are_headers_to_test():
    assert {"Out-of-\nsample %", "Sharpe", "Pinball loss, bps"} & HEADERS
    assert len(HEADERS) > 40


def test_no_word_has_two_entries():
    by_entry = [{explain.letters(name) for name in (entry.term, *entry.also)} for entry in explain.entries()]
    names = Counter(name for names in by_entry for name in names)
    twice = [name for name, count in names.items() if count > 1]
    assert not twice


def test_an_entry_is_found_by_its_column_its_key_and_its_other_words(cli):
    shown = {cli("explain", *words.split()).out for words in ("Win %", "win", "win_rate", "WIN")}
    assert len(shown) == 1
    assert shown.pop().startswith("Win %\n\nThe share of trades")


def test_json_has_the_whole_entry(cli):
    document = json.loads(cli("explain", "w", "--json").out)
    (entry,) = document["entries"]
    assert (document["schema"], entry["term"]) == ("marketsim.explain/1", "Take-profit probability")
    assert "w" in entry["also"]
    assert "given the bar's open, high, low and close" in entry["text"]


def test_an_unknown_word_names_the_nearest_and_no_word_lists_all(cli):
    ended = cli("explain", "drawdwon")
    assert ended.code == 2
    assert "'drawdwon' is not in the glossary; did you mean 'drawdown'?" in ended.err
    assert "Drawdown" in cli("explain").out


def test_the_file_holds_nothing_but_entries():
    text = explain.GLOSSARY.read_text(encoding="utf-8")
    assert len(list(explain.entries())) == text.count("\n### ") + 1
    assert all(entry.text for entry in explain.entries())


@pytest.mark.parametrize("arguments", ["config", "forecast ETHUSD", "data list"])
def test_tables_end_with_the_hint(arguments, cli):
    assert cli(*arguments.split()).out.endswith(f"\n{output.HINT}\n")
    assert output.HINT not in cli(*arguments.split(), "--json").out
    assert output.HINT not in cli("explain", "win").out
