"""The blocks of the documentation's pages: what a test runs, and what a page shows as output.

A comment on the line before a block declares what it is: `<!-- not run: REASON -->`, or
`<!-- output of: COMMAND; up to: WORDS -->` (the second part where the output is not the same every time).
`python -m tests.pages` rewrites the outputs.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import command_line
from tests.command_line import Ended

ROOT = Path(__file__).parent.parent
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
REASONS = ("needs a network", "needs a cluster", "needs weights", "has a test of its own", "changes this checkout")

_BLOCK = re.compile(
    r"(?:^<!-- (?P<remark>[^\n]*) -->\n)?^```(?P<language>\w+)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE
)
_OUTPUT = re.compile(r"output of: (?P<command>.*?)(?:; up to: (?P<end>.*))?")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    remark: str  # of the comment before it, "" for none

    @property
    def skipped(self) -> str:
        """Why it is not run; "" where it is."""
        return self.remark.removeprefix("not run: ") if self.remark.startswith("not run: ") else ""


def blocks(page: Path) -> list[Block]:
    """The fenced blocks of a page, in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [Block(match["language"], match["text"], match["remark"] or "") for match in found]


def commands(page: Path) -> list[str]:
    """The command lines of a page's bash blocks that are run."""
    return [
        line
        for block in blocks(page)
        if block.language == "bash" and not block.skipped
        for line in block.text.splitlines()
    ]


def shown(page: Path) -> set[str]:
    """The commands whose output the page shows."""
    return {match["command"] for block in blocks(page) if (match := _OUTPUT.fullmatch(block.remark))}


def run(command: str, directory: Path) -> Ended:
    """Run a `marketsim` command line of a page in a directory, 80 columns wide, with a cache of its own."""
    door, *arguments = shlex.split(command, comments=True)
    assert door in ("marketsim", "./scripts/marketsim"), command
    with pytest.MonkeyPatch.context() as patched, contextlib.chdir(directory):
        patched.setenv("COLUMNS", "80")
        patched.setenv("MARKETSIM_CACHE_DIR", str(directory / "cache"))
        return command_line.run(*arguments)


def output(block: Block, directory: Path) -> str | None:
    """What the block's command prints, up to where the comparison ends; None where the block shows no output."""
    match = _OUTPUT.fullmatch(block.remark)
    if match is None:
        return None
    done = run(match["command"], directory)
    assert done.code == 0, done.err
    printed = "".join(f"{line.rstrip()}\n" for line in done.out.splitlines())
    if match["end"]:
        printed = printed.partition(f"\n{match['end']}")[0]
    return printed.rstrip("\n") + "\n"


def rewrite(page: Path) -> None:
    """Put what its commands print now into the page's blocks of output."""
    text = page.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as directory:
        for block in blocks(page):
            printed = output(block, Path(directory))
            if printed is not None:
                text = text.replace(
                    f"<!-- {block.remark} -->\n```{block.language}\n{block.text}",
                    f"<!-- {block.remark} -->\n```{block.language}\n{printed}",
                )
    page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    for page in PAGES:
        rewrite(page)
