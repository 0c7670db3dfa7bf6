"""Time stamps of entries by third parties: attached files, RFC 3161 or OpenTimestamps.

Both kinds name the SHA-256 of what was stamped, which is an entry's hash. Attached, they do what a head does that was
written down: an entry whose hash was stamped stands in the journal as it was, or `verify` names it. Whether the stamp
itself is genuine is for `openssl ts -verify` or `ots verify` to say, which know the authority's certificate or the
block.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from marketsim.errors import DataError, UsageError
from marketsim.journal.chain import Chain, Defect, Link, hash_of
from marketsim.results.rows import Count, Row, Sha256, Stamp

FOLDER = "timestamps"
SUFFIXES = {"RFC 3161": "tsr", "OpenTimestamps": "ots"}  # by kind
LARGEST = 1 << 20  # bytes; stamps have a few thousand
OPEN_TIMESTAMPS = re.compile(
    rb"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08(.{32})", re.DOTALL
)  # magic, version 1, SHA-256, the digest
RFC_3161 = re.compile(
    rb"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01(?:\x05\x00)?\x04\x20(.{32})", re.DOTALL
)  # SHA-256's identifier, and the digest as an octet string: the message imprint
TIME = re.compile(rb"\x18[\x0f-\x17](\d{14})(?:\.\d+)?Z")  # GeneralizedTime, in UTC
NAME = re.compile(r"(\d+)-([0-9a-f]{64})-[0-9a-f]{8}\.(?:ots|tsr)")


class Attached(Row, frozen=True):
    """A stamp that is attached to an entry."""

    entry: Count
    hash: Sha256  # that was stamped
    file: str
    kind: str
    stamped: Stamp | None  # UTC, as an RFC 3161 stamp says it; OpenTimestamps names a block


def attach(directory: Path, chain: Chain, path: str) -> Attached:
    """Copy a stamp beside the journal; DataError where it is none, or is about no entry of the chain."""
    content = _content(Path(path))
    kind, digest, stamped = _read(content, path)
    number = next((link.number for link in chain.links if link is not None and link.hash == digest), None)
    if number is None:
        raise DataError(f"{path}: it stamps {digest}, which is the hash of no entry of {directory}")
    name = f"{number}-{digest}-{hash_of(content)[:8]}.{SUFFIXES[kind]}"
    place = directory / FOLDER / name
    try:
        place.parent.mkdir(exist_ok=True)
        part = place.with_suffix(".new")
        with open(part, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(place)
    except OSError as error:
        raise UsageError(f"{place}: cannot write there: {(error.strerror or str(error)).lower()}") from None
    return Attached(entry=number, hash=digest, file=str(place), kind=kind, stamped=stamped)


def attached(directory: Path) -> list[Attached]:
    """The stamps beside a journal; DataError for one that is damaged."""
    found = []
    for path in sorted((directory / FOLDER).glob("*")):
        if (name := NAME.fullmatch(path.name)) is not None:
            kind, digest, stamped = _read(_content(path), str(path))
            if digest != name[2]:
                raise DataError(f"{path}: its hash is not the one in its name")
            found.append(Attached(entry=int(name[1]), hash=digest, file=str(path), kind=kind, stamped=stamped))
    return sorted(found, key=lambda stamp: stamp.entry)


def contradicted(chain: Chain, stamps: Sequence[Attached]) -> Defect | None:
    """The first entry that a stamp shows to be another than it was."""
    links: dict[int, Link] = {link.number: link for link in chain.links if link is not None}
    for stamp in stamps:
        link = links.get(stamp.entry)
        name = Path(stamp.file).name
        if link is None:
            at, why = len(links) + 1, f"{name} stamps entry {stamp.entry}, and the journal ends with entry {len(links)}"
            return Defect(what="removed", entry=at, line=at, why=why)
        if link.hash != stamp.hash:
            why = f"{name} stamps it with another hash"
            return Defect(what="changed", entry=stamp.entry, line=stamp.entry, why=why)
    return None


def _content(path: Path) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read(LARGEST)
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or str(error)).lower()}") from None


def _read(content: bytes, place: str) -> tuple[str, str, str | None]:
    """The kind of a stamp, the hash that it is of, and its time."""
    if (match := OPEN_TIMESTAMPS.match(content)) is not None:
        return "OpenTimestamps", match[1].hex(), None
    if content[:1] == b"\x30" and (match := RFC_3161.search(content)) is not None:
        found = TIME.search(content, match.end())
        if found is not None:
            digits = found[1].decode()
            date, clock = digits[:8], digits[8:]
            stamped = f"{date[:4]}-{date[4:6]}-{date[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}"
            return "RFC 3161", match[1].hex(), stamped
    raise DataError(f"{place}: neither an RFC 3161 response (.tsr) with a SHA-256 nor an OpenTimestamps proof (.ots)")
