"""Time stamps of heads that somebody else made: attached, and held against the chain."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketsim.errors import DataError
from marketsim.journal.chain import read_chain
from marketsim.journal.timestamps import attach, attached, contradicted
from tests.journal.entries import small_journal

LINES = small_journal(["a", "b", "c"])
CHAIN = read_chain(b"".join(LINES))
SHA_256 = bytes.fromhex("0609608648016503040201")


def open_timestamps(digest: bytes) -> bytes:
    return b"\x00OpenTimestamps\x00\x00Proof\x00\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08" + digest + b"\xf0\x10nonce"


def rfc_3161(digest: bytes) -> bytes:
    """The part of a response that says what was stamped and when, as RFC 3161, 2.4.2 has it."""
    imprint = b"\x30\x31\x30\x0d" + SHA_256 + b"\x05\x00\x04\x20" + digest
    return b"\x30\x82\x01\x00" + imprint + b"\x02\x01\x07" + b"\x18\x0f20200803121530Z" + bytes(8)


def hash_at(number: int) -> bytes:
    link = CHAIN.links[number - 1]
    assert link is not None
    return bytes.fromhex(link.hash)


@pytest.mark.parametrize(
    ("make", "kind", "stamped"),
    [(open_timestamps, "OpenTimestamps", None), (rfc_3161, "RFC 3161", "2020-08-03T12:15:30")],
)
def test_a_stamp_is_attached_to_the_entry_that_it_is_of(make, kind, stamped, tmp_path: Path) -> None:
    (tmp_path / "stamp").write_bytes(make(hash_at(2)))
    found = attach(tmp_path, CHAIN, str(tmp_path / "stamp"))
    assert (found.entry, found.hash, found.kind, found.stamped) == (2, hash_at(2).hex(), kind, stamped)
    assert Path(found.file).read_bytes() == make(hash_at(2))
    assert attached(tmp_path) == [found]
    assert contradicted(CHAIN, [found]) is None
    attach(tmp_path, CHAIN, str(tmp_path / "stamp"))
    assert len(attached(tmp_path)) == 1


def test_a_journal_that_was_written_anew_contradicts_its_stamps(tmp_path: Path) -> None:
    (tmp_path / "stamp").write_bytes(open_timestamps(hash_at(2)))
    stamp = attach(tmp_path, CHAIN, str(tmp_path / "stamp"))
    anew = read_chain(b"".join(small_journal(["a", "other", "c"])))
    assert anew.defect is None
    found = contradicted(anew, [stamp])
    assert found is not None and (found.what, found.entry) == ("changed", 2)
    short = contradicted(read_chain(LINES[0]), [stamp])
    assert short is not None and (short.what, short.entry) == ("removed", 2)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"hello", "neither an RFC 3161 response"),
        (b"\x30" + bytes(40), "neither an RFC 3161 response"),
        (open_timestamps(bytes(32)), "the hash of no entry"),
        (open_timestamps(bytes(31))[:-7], "neither an RFC 3161 response"),
    ],
)
def test_what_is_no_stamp_of_an_entry_is_refused(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "stamp").write_bytes(content)
    with pytest.raises(DataError, match=why):
        attach(tmp_path, CHAIN, str(tmp_path / "stamp"))
    assert not attached(tmp_path)


def test_a_stamp_that_was_exchanged_is_told(tmp_path: Path) -> None:
    (tmp_path / "stamp").write_bytes(open_timestamps(hash_at(2)))
    stamp = attach(tmp_path, CHAIN, str(tmp_path / "stamp"))
    Path(stamp.file).write_bytes(open_timestamps(hash_at(1)))
    with pytest.raises(DataError, match="its hash is not the one in its name"):
        attached(tmp_path)
