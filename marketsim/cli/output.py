"""All output: documents and tables on stdout, the rest on stderr, with control characters removed."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

from marketsim.results.wording import LOOK_AHEAD as LOOK_AHEAD
from marketsim.results.wording import visible
from marketsim.settings.database_url import redacted

if TYPE_CHECKING:
    from rich.console import Console

    from marketsim.cli.progress import Progress
    from marketsim.errors import MarketsimError
    from marketsim.results.rows import Row

WIDTH = 80  # columns, where no terminal says how many
ALIKE = 3  # symbols or files beside the first of which a remark is the same: so many share its line

HINT = "`marketsim explain COLUMN` says what a column means."
BULLET = "•", "*"  # the second in ASCII
CANDLE = "█│╌", "#|-"  # the body of a bar, its wicks, and a level; the second in ASCII
MARKUP = r"<(?=[A-Za-z/!?])|&(?=#?\w+;)"  # where an HTML tag or entity begins

_tables = False  # whether this command has drawn one
_look_ahead = False  # whether what is shown was made by a model that was caught


def clean(text: str) -> str:
    """`text` on one line without passwords, with control characters, escapes and HTML spelt out as `\\x1b`."""
    text = visible(redacted(text))
    if "<" not in text and "&" not in text:
        return text
    return re.sub(MARKUP, lambda match: f"\\x{ord(match[0]):02x}", text)


def fail(message: str) -> None:
    """One line on stderr: why the run, or a part of it, failed."""
    _stderr(f"marketsim: {clean(message)}")


def failures(errors: Sequence[MarketsimError], succeeded: bool) -> int:
    """Say why some things failed; the exit code: 0 where none did, 4 where others `succeeded`, else the first one's."""
    for error in errors:
        trace(error)
        fail(str(error))
    return 0 if not errors else 4 if succeeded else errors[0].exit_code


def failures_shown(errors: Sequence[MarketsimError], count: int) -> int:
    """The exit code of so many symbols, where those that failed beside others are rows of the answer already.

    Where all did, each says why, and the last of the errors is raised.
    """
    if not errors:
        return 0
    if len(errors) == count:
        for error in errors[:-1]:
            fail(str(error))
        raise errors[-1]
    fail(f"{len(errors):,} of {count:,} symbols failed")
    return 4


def trace(error: Exception) -> None:
    """With --debug, wherever it stands, where an error was raised."""
    if "--debug" in sys.argv and sys.stderr is not None:
        import traceback

        print(redacted("".join(traceback.format_exception(error))), end="", file=sys.stderr)


def notes(messages: Iterable[str]) -> None:
    """Remarks on stderr, a line and once each; the same of many symbols or files is one line."""
    alike: dict[str, list[str]] = {}  # what a remark is of, by its words
    for message in dict.fromkeys(messages):
        of = message.partition(": ")[0] if ": " in message else ""
        alike.setdefault(message.removeprefix(of), []).append(of)
    for words, (first, *others) in alike.items():
        if len(others) < ALIKE:
            lines = [f"{of}{words}" for of in (first, *others)]
        else:
            lines = [f"{first}{words}; the same of {', '.join(others[:2])} and {len(others) - 2:,} more"]
        for line in lines:
            _stderr(f"note: {clean(line)}")


def _stderr(line: str) -> None:
    if sys.stderr is not None:  # print would take None for stdout
        print(line, file=sys.stderr, flush=True)


def document(values: Row | Mapping[str, Any]) -> None:
    """A JSON document on stdout; JSON spells control characters out by itself."""
    from marketsim.results.encoding import to_json

    text(to_json(values))


def text(document: str) -> None:
    """The text of a JSON document on stdout, as it is."""
    print(document, end="")


def raw(content: bytes) -> None:
    """Bytes on stdout, as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(content)


def symbols(head: Row, parts: Iterable[Row]) -> None:
    """A JSON document of many symbols on stdout, one after the other below its head."""
    from marketsim.results.encoding import DocumentWriter

    writer = DocumentWriter(sys.stdout, head)
    for part in parts:
        writer.add(part)
    writer.end()


def lines(*texts: str) -> None:
    """Plain lines on stdout, wrapped to the terminal's width."""
    import textwrap

    for text in texts:
        print(
            textwrap.fill(clean(text), _width(), subsequent_indent="  ", break_on_hyphens=False, break_long_words=False)
        )


def paragraph(*texts: str) -> None:
    """Lines, and an empty one after them; nothing where there are none."""
    if texts:
        lines(*texts, "")


def bullets(*texts: str) -> None:
    """Sentences on stdout, each on its own line after a bullet."""
    sign = drawable(*BULLET)
    lines(*(f"{sign} {text}" for text in texts))


def heading(text: str) -> None:
    """A line on stdout that stands out, where the terminal can."""
    _console().print(clean(text), style="bold", soft_wrap=True)


def table(title: str, headers: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> None:
    """A table; the first `words` columns are text, the others numbers. Cells may hold several lines.

    Numbers are never broken: where the terminal is too narrow for its columns, every row is a block of lines.
    """
    from marketsim.cli import table_layout

    global _tables
    _tables = True
    title = clean(f"{LOOK_AHEAD}: {title}" if _look_ahead else title)
    cells = [["\n".join(map(clean, cell.split("\n"))) for cell in row] for row in rows]
    columns = table_layout.columns(headers, cells, words)
    chosen = table_layout.layout(columns, _width())
    console = _console()
    if chosen is None:
        console.print(title, style="bold", end="\n\n")
        console.print("\n".join(table_layout.blocks(columns, _width())), soft_wrap=True)
    else:
        console.print(table_layout.grid(title, columns, chosen))
    console.print()


def mark(look_ahead: bool) -> None:
    """Whether the tables that follow are by a model that was caught looking ahead: their titles then say so."""
    global _look_ahead
    _look_ahead = look_ahead


def hint(more: str = "") -> None:
    """The hint after a command's tables, printed once: where columns are explained."""
    global _tables
    if _tables:
        lines(f"{more}{HINT}")
    _tables = False


def begin() -> None:
    """Before a command: it has drawn no table."""
    global _tables
    _tables = False
    mark(look_ahead=False)


def drawable(signs: str, plain: str) -> str:
    """The signs to draw with, or the `plain` ones where the encoding of stdout has not all of them."""
    try:
        signs.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except UnicodeEncodeError:
        return plain
    return signs


def _console() -> Console:
    from rich.console import Console

    plain = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
    return Console(width=_width(), markup=False, emoji=False, highlight=False, color_system=None if plain else "auto")


def _width(stream: TextIO | None = None) -> int:
    """Columns of the terminal that a stream (None: stdout) is written to; `COLUMNS` wins, and 80 are assumed."""
    stream = sys.stdout if stream is None else stream
    if (columns := os.environ.get("COLUMNS", "")).isdigit() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or WIDTH
    except (AttributeError, OSError, ValueError):  # no stream, none of the system, closed, or no terminal
        return WIDTH


@contextmanager
def progress() -> Iterator[Progress]:
    """A function of (what, done, total) that keeps a line on stderr; nothing is shown of what takes a moment."""
    from marketsim.cli.progress import shown

    with shown(clean, lambda: _width(sys.stderr)) as update:
        yield update
