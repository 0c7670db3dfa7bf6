"""Shell completion: the choices at each position, and how bash, zsh and fish split the typed line.

Typer completes whole words after a blank. Here `--fill=t` and, in bash, `chronos:b` are handed to it as such words, and
its answer is given in the form that the shell will put in their place.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from marketsim.data import Source
    from marketsim.settings.groups import BarsSettings

ASKED = "_MARKETSIM_COMPLETE"  # set by the scripts that Typer installs, to complete_SHELL
WORDS, POSITION = "COMP_WORDS", "COMP_CWORD"  # of bash
LINE = "_TYPER_COMPLETE_ARGS"  # of the other shells
NEWEST = 40  # dates that are offered
BREAKS = frozenset(":=")  # of a word, in bash


def symbols(command: typer.Context, incomplete: str) -> list[str]:
    """The symbols of the source that the line names; none where it cannot be read."""
    from marketsim.errors import MarketsimError

    try:
        source, _ = _source(command)
        return [symbol for symbol in source.symbols() if symbol.startswith(incomplete.upper())]
    except MarketsimError:
        return []


def dates(command: typer.Context, incomplete: str) -> list[str]:
    """The newest dates of the line's symbol that begin so."""
    from marketsim.backtesting.chosen_bars import load
    from marketsim.data.present import without_midnight
    from marketsim.errors import MarketsimError

    symbol = command.params.get("symbol") or next(iter(command.args), "")  # left there by an option without its value
    try:
        source, chosen = _source(command)
        bars = load(symbol, chosen, source)
    except MarketsimError:
        return []
    written = [without_midnight(moment) for moment in bars.time]
    return [date for date in written if date.startswith(incomplete)][-NEWEST:]


def several(choices: Sequence[str]) -> Callable[[str], list[str]]:
    """A completer of the last of several words with commas between.

    >>> several(["har", "last-bar"])("har,l")
    ['har,last-bar']
    """

    def complete(incomplete: str) -> list[str]:
        before, comma, last = incomplete.rpartition(",")
        given = before.split(",")
        return [f"{before}{comma}{name}" for name in choices if name.startswith(last) and name not in given]

    return complete


def models(incomplete: str) -> list[str]:
    """Models, and members of an ensemble of them.

    >>> models("blend:har,last")
    ['blend:har,last-bar']
    """
    from marketsim.registry import ENSEMBLES
    from marketsim.settings.settings import CHOICES

    name, colon, members = incomplete.partition(":")
    if name not in ENSEMBLES or not colon:
        return list(CHOICES["model"])
    return [
        f"{name}:{completed}"
        for completed in several([model for model in CHOICES["model"] if model not in ENSEMBLES])(members)
    ]


def answer(complete: Callable[[], object]) -> int:
    """Print what completes the line in the shell's form; `complete` is the application, which prints it in Typer's."""
    import io
    from contextlib import redirect_stdout

    action, _, shell = os.environ[ASKED].partition("_")
    if action != "complete":  # the script for a shell
        complete()
        return 0
    prefix, kept = _bash_words() if shell == "bash" else _split_option(os.environ.get(LINE, ""))
    out = io.StringIO()
    code = 0
    with redirect_stdout(out):
        try:
            complete()
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else 0
    text = out.getvalue()
    if shell == "zsh":
        text = re.sub(r'(^|\(\()"', lambda match: f'{match[1]}"{prefix}', text, flags=re.MULTILINE)
    else:
        text = "".join(f"{(prefix + line)[len(kept) :]}\n" for line in text.splitlines())
    print(text, end="")
    return code


def _source(command: typer.Context) -> tuple[Source, BarsSettings]:
    from marketsim.backtesting.chosen_bars import open_bars
    from marketsim.cli.options import given
    from marketsim.settings.resolution import resolve

    chosen = resolve(given(command), command.params.get("config"), os.environ).settings.bars
    return open_bars(chosen), chosen


def _bash_words() -> tuple[str, str]:
    """Join what bash broke at ":" and "=", and say what its answer will have in front, and what bash keeps of that."""
    import shlex

    text = os.environ.get(WORDS, "")
    broken = text.split("\n") if "\n" in text else text.split(" ")
    broken = broken[: int(os.environ.get(POSITION, "0")) + 1]
    words: list[str] = []
    joined = False
    for word in broken:
        is_break = bool(word) and BREAKS.issuperset(word)
        if words and (is_break or joined):
            words[-1] += word
        else:
            words.append(word)
        joined = is_break
    last = broken[-1] if broken else ""
    kept = words[-1] if BREAKS.issuperset(last) else words[-1][: -len(last)] if words else ""
    prefix = ""
    if words and (found := re.fullmatch(r"(--[a-z-]+=)(.*)", words[-1])):
        prefix = found[1]
        words[-1:] = [prefix[:-1], found[2]]
    os.environ[WORDS] = "\n".join(map(shlex.quote, words))
    os.environ[POSITION] = str(len(words) - 1)
    return prefix, kept


def _split_option(line: str) -> tuple[str, str]:
    """Part `--fill=t` at the end of the line into two words, and say what the answer will have in front."""
    found = re.search(r"(?:^|(?<=\s))(--[a-z-]+)=(\S*)$", line)
    if found is None:
        return "", ""
    os.environ[LINE] = f"{line[: found.start()]}{found[1]} {found[2]}"
    return f"{found[1]}=", ""
