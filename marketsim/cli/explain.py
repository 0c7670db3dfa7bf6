"""`marketsim explain`: the glossary, which the documentation shows too."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated

import typer
from msgspec import Struct

from marketsim.cli import options, output
from marketsim.errors import UsageError
from marketsim.registry import nearest
from marketsim.settings.resolution import ENVIRONMENT_PREFIX
from marketsim.settings.settings import CHOICES

GLOSSARY = Path(__file__).with_name("glossary.md")

_ENTRY = re.compile(r"^### (.+)\n\n(?:Also: (.+)\.\n\n)?((?:(?!### ).*\n?)*)", re.MULTILINE)


class Entry(Struct, frozen=True):
    """A term of the glossary."""

    term: str
    also: tuple[str, ...]  # other words for it, as tables, documents and settings have them
    text: str


def explain(
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="[WORD]", help="A column, another word of the output, or a setting."),
    ] = None,
    json: options.Json = False,
    debug: options.Debug = False,
) -> None:
    """Explain a column, a word of the tables, or a setting.

    Without a word, all words are listed; `marketsim config` lists the settings.
    """
    found = [_find(" ".join(words))] if words else list(entries())
    if json:
        from marketsim.cli.documents import ExplainDocument, ExplainedTerm

        terms = [ExplainedTerm(term=entry.term, also=list(entry.also), text=entry.text) for entry in found]
        output.document(ExplainDocument(entries=terms))
    elif words:
        output.lines(found[0].term, "", *found[0].text.split("\n\n"))
    else:
        output.lines(", ".join(entry.term for entry in found))


@cache
def entries() -> tuple[Entry, ...]:
    """The glossary, in its order."""
    found = _ENTRY.findall(GLOSSARY.read_text(encoding="utf-8"))
    return tuple(Entry(term, tuple(re.findall("`(.+?)`", also)), _paragraphs(text)) for term, also, text in found)


def _paragraphs(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def _find(word: str) -> Entry:
    by_name = {name: entry for entry in entries() for name in (entry.term, *entry.also)}
    byletters = {letters(name): entry for name, entry in by_name.items()}
    if word.startswith("--") and word not in by_name and (setting := _setting(word)) is not None:
        return setting
    if letters(word) not in byletters:
        if (setting := _setting(word)) is not None:
            return setting
        near = {name.lower(): name for name in by_name}
        hint = nearest(word.lower(), near)
        raise UsageError(f"'{word}' is not in the glossary{hint} (`marketsim explain` lists all)")
    return byletters[letters(word)]


def _setting(word: str) -> Entry | None:
    """The help text of a setting, named as an option, a variable or a key."""
    key = word.lstrip("-").replace("-", "_").lower().removeprefix(ENVIRONMENT_PREFIX.lower())
    if key not in options.TEXTS:
        return None
    text = options.TEXTS[key]
    choices = f" Choices: {', '.join(CHOICES[key])}." if key in CHOICES and not text.metavar else ""
    default = text.default or options.DEFAULTS[key]
    value = "" if isinstance(options.DEFAULTS[key], bool) else f" Default: {default}."
    return Entry(f"--{key.replace('_', '-')}", (key,), f"{text.help}{choices}{value}")


def letters(text: str) -> str:
    """A word without case, blanks and signs, so that its spellings are equal."""
    return re.sub(r"[\W_]", "", text.lower())
