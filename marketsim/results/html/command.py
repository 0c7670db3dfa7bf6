"""The command that reproduces a run and its page."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence

from marketsim.results.schema import FailedSymbol, SymbolDocument
from marketsim.settings.database_url import redacted
from marketsim.settings.settings import Settings


def command_of(symbols: Sequence[str], settings: Settings, last: str | None) -> str:
    """The backtest of these symbols under the settings, on the bars up to the `last` one, where there are any."""
    if settings.bars.end is None and last is not None:
        settings = settings.replace(end=last)
    return command_line(["fast" if settings.walk.fast else "backtest", *symbols], settings, without=("fast",))


def last_bar(documents: Iterable[SymbolDocument | FailedSymbol]) -> str | None:
    """The newest bar of all symbols."""
    return max((document.bars.last for document in documents if isinstance(document, SymbolDocument)), default=None)


def command_line(words: Sequence[str], settings: Settings, without: Collection[str]) -> str:
    """A command with the settings that are not at their default, except some; without passwords."""
    values, defaults = settings.values(), Settings().values()
    changed = [key for key, value in values.items() if value != defaults[key] and key not in without]
    options = [word for key in changed for word in _option(key, values[key])]
    return redacted(" ".join(map(_quoted, ["marketsim", *words, *options, "--report", "report.html"])))


def _quoted(word: str) -> str:
    """A word for the shell; what cannot be seen is spelt out, as bash and zsh read it."""
    if word.isprintable():
        return shlex.quote(word)
    letters = (f"\\{c}" if c in "\\'" else c if c.isprintable() else ascii(c)[1:-1] for c in word)
    return f"$'{''.join(letters)}'"


def _option(key: str, value: object) -> Iterator[str]:
    name = f"--{key.replace('_', '-')}"
    if isinstance(value, bool):
        yield name
    elif key == "bounds" and isinstance(value, tuple):
        yield from (name, ",".join(f"{end:g}" for end in value))
    elif isinstance(value, tuple):
        for word in value:
            yield from (name, str(word))
    else:
        yield from (name, str(value))
