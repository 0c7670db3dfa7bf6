"""The command line in this process."""

from __future__ import annotations

import re
import sys
from functools import cache
from typing import NamedTuple

import pytest

from marketsim.cli import main, output, progress
from marketsim.cli.explain import entries, letters

LABEL = re.compile(r"([A-Z][a-z][\w-]*) {2,}\S")  # a word at the head of a line, as in "Walk   70 bars"


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@cache
def explained() -> frozenset[str]:
    return frozenset(letters(name) for entry in entries() for name in (entry.term, *entry.also))


@pytest.fixture
def shown_words(monkeypatch):
    """The heads of the tables, and the words at the heads of lines, that the commands of a test show."""
    words: set[str] = set()
    table, lines = output.table, output.lines

    def spied_table(title, headers, *rest, **named):
        words.update(re.sub(r"^Against\n.*", "Against", header) for header in headers)  # a model's name follows
        return table(title, headers, *rest, **named)

    def spied_lines(*texts):
        words.update(found[1] for text in texts if (found := LABEL.match(text)))
        return lines(*texts)

    monkeypatch.setattr(output, "table", spied_table)
    monkeypatch.setattr(output, "lines", spied_lines)
    return words


@pytest.fixture
def cli(monkeypatch, capsys, shown_words):
    """`cli("backtest", "ETHUSD")` runs `marketsim backtest ETHUSD`; whatever it shows must be in the glossary."""

    def run(*arguments: str) -> Ended:
        monkeypatch.setattr(progress, "LOG_PATIENCE", 1e6)  # on a machine that is busy, a test may take long
        monkeypatch.setattr(sys, "argv", ["marketsim", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        return Ended(ended.value.code or 0, *capsys.readouterr())

    yield run
    unexplained = {word for word in shown_words if word.strip() and letters(word) not in explained()}
    assert not unexplained, "words of a screen that marketsim/cli/glossary.md lacks"
