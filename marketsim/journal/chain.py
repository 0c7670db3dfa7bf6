"""The chain of entries: each line holds the hash of its entry, and each entry that of the previous one.

A line is `{"hash":"<SHA-256 of the bytes of the entry, in hex>","entry":<the entry>}` and a newline. Nothing here reads
more of an entry than its place in the chain and its times, so that entries of any version can be checked.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import Literal

import msgspec
from msgspec import Struct, field

from marketsim.results.rows import Count, Row

BEFORE_FIRST = "0" * 64
LINE = re.compile(rb'\{"hash":"([0-9a-f]{64})","entry":(\{.*\})\}', re.DOTALL)

Fault = Literal["changed", "removed", "inserted", "reordered", "back-dated", "torn"]


class Head(Struct, frozen=True):
    """The newest entry: whoever wrote it down knows later whether anything up to there was changed."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


class Defect(Row, frozen=True):
    """The first entry that is not as it was written."""

    what: Fault
    entry: Count  # its number
    line: Count  # in the file, from 1; where an entry is missing, the line that stands in its place
    why: str

    @property
    def words(self) -> str:
        """What it is, in a line."""
        return f"entry {self.entry} {'is' if self.what == 'torn' else 'was'} {self.what}: {self.why}"


class _Bars(Struct, frozen=True):
    ended: str


class _Session(Struct, frozen=True):
    ends: str


class _Times(Struct, frozen=True):
    bars: _Bars
    session: _Session


class Link(Struct, frozen=True):
    """The part of an entry that the chain reads."""

    number: int
    previous: str
    sealed: str
    clock: str
    plan: _Times
    hash: str = ""
    content: bytes = b""


class Chain(Struct, frozen=True):
    """A journal as its file has it."""

    links: Sequence[Link | None] = ()  # a line each; None where it is none that marketsim wrote
    torn: bytes = b""  # what follows the last newline: the line that somebody was writing
    defect: Defect | None = field(default=None)

    @property
    def head(self) -> Head | None:
        """The newest entry; None of an empty journal, and of one that is not sound."""
        if self.defect is not None or not self.links or (last := self.links[-1]) is None:
            return None
        return Head(last.number, last.hash)


def line_of(content: bytes) -> bytes:
    """The line of an entry."""
    return b'{"hash":"' + hash_of(content).encode() + b'","entry":' + content + b"}\n"


def hash_of(content: bytes) -> str:
    """SHA-256, in hex, as `sha256sum` gives it."""
    return hashlib.sha256(content).hexdigest()


def read_chain(journal: bytes) -> Chain:
    """The chain in the bytes of a file, and its first defect."""
    whole, newline, torn = journal.rpartition(b"\n")
    links = [_link(line) for line in whole.split(b"\n")] if newline else []
    return Chain(links, torn, _first_defect(links))


def torn_line(chain: Chain) -> Defect | None:
    """The last line, where it is not whole."""
    if not chain.torn:
        return None
    at = len(chain.links) + 1
    why = "the last line is not whole, as after a process that was killed while it sealed; the next seal puts it aside"
    return Defect(what="torn", entry=at, line=at, why=why)


def missing_head(chain: Chain, written_down: str) -> Defect | None:
    """What is wrong with a sound chain for somebody who wrote the head down, as HASH or NUMBER:HASH."""
    number, _, digest = written_down.rpartition(":")
    hashes = [link.hash for link in chain.links if link is not None]
    if digest in hashes and number in ("", str(hashes.index(digest) + 1)):
        return None
    count = len(hashes)
    if number.isdigit() and int(number) > count:
        why = f"the given head is entry {number}, but the journal ends with entry {count}"
        return Defect(what="removed", entry=count + 1, line=count + 1, why=why)
    at = int(number) if number.isdigit() else count
    why = f"no entry has the given hash: it was removed, or entries up to {at} were rewritten"
    return Defect(what="removed" if not number else "changed", entry=at, line=at, why=why)


def _link(line: bytes) -> Link | None:
    """What the chain reads of a line; None where a byte of it is another than marketsim wrote."""
    match = LINE.fullmatch(line)
    if match is None or match[1].decode() != hash_of(match[2]):
        return None
    try:
        link = msgspec.json.decode(match[2], type=Link)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return msgspec.structs.replace(link, hash=match[1].decode(), content=match[2])


def _first_defect(links: Sequence[Link | None]) -> Defect | None:
    previous = BEFORE_FIRST
    clocks: dict[str, str] = {}  # the newest time by each clock
    for at, link in enumerate(links):
        if link is None or link.previous != previous or link.number != at + 1:
            return _broken(links, at, previous)
        if (why := _back_dated(link, clocks.get(link.clock, ""))) is not None:
            return Defect(what="back-dated", entry=link.number, line=at + 1, why=why)
        previous, clocks[link.clock] = link.hash, link.sealed
    return None


def _broken(links: Sequence[Link | None], at: int, previous: str) -> Defect:
    """What became of the chain at the line `at`, from 0, which does not follow the one before it."""
    link, line = links[at], at + 1
    before = {other.hash: i for i, other in enumerate(links[:at], 1) if other is not None} | {BEFORE_FIRST: 0}
    later = links[at + 1 :]
    stranger = any(other is not None and other.previous == previous for other in later)  # the next one follows later
    if link is None:
        if stranger:
            return Defect(what="inserted", entry=line, line=line, why="the line belongs to no entry of the chain")
        return Defect(what="changed", entry=line, line=line, why="its bytes are not those of its hash")
    if link.hash in before:
        first = before[link.hash]
        return Defect(what="inserted", entry=line, line=line, why=f"it repeats entry {first}")
    if link.previous == previous:
        return Defect(what="changed", entry=line, line=line, why=f"it calls itself entry {link.number}")
    if any(other is not None and other.hash == link.previous for other in later):
        why = f"entry {link.number} is in its place, before the entry that it follows"
        return Defect(what="reordered", entry=line, line=line, why=why)
    if link.previous in before:
        first = before[link.previous] + 1
        why = f"entry {link.number} follows the one before it, as if this one did not exist"
        return Defect(what="inserted", entry=first, line=first, why=why)
    if stranger:
        return Defect(what="inserted", entry=line, line=line, why="the next entry follows the one before it")
    if link.number > line:
        missing = f"entries {line} to {link.number - 1} are" if link.number - 1 > line else f"entry {line} is"
        return Defect(what="removed", entry=line, line=line, why=f"{missing} missing before entry {link.number}")
    first = max(1, at)
    why = f"entry {link.number} does not follow it: it was rewritten, or that one belongs to another journal"
    return Defect(what="changed", entry=first, line=first, why=why)


def _back_dated(link: Link, newest: str) -> str | None:
    if link.sealed < link.plan.bars.ended:
        return f"sealed {link.sealed}, on a bar that was complete only at {link.plan.bars.ended} UTC"
    if link.sealed >= link.plan.session.ends:
        return f"sealed {link.sealed}, when its session was over, at {link.plan.session.ends} UTC"
    if link.sealed < newest:
        return f"sealed {link.sealed}, and an entry before it at {newest} UTC by the same clock"
    return None
