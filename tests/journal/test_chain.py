"""The chain names the first entry that was changed, removed, inserted, reordered or back-dated."""

from __future__ import annotations

import random
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.journal.chain import (
    BEFORE_FIRST,
    Defect,
    Head,
    hash_of,
    line_of,
    missing_head,
    read_chain,
    torn_line,
)
from tests.journal.entries import DAYS, small, small_journal

JOURNALS = st.lists(st.text(max_size=6), min_size=3, max_size=7, unique=True).map(small_journal)


def entry_of(line: bytes) -> bytes:
    """The bytes that were hashed."""
    return line.partition(b'"entry":')[2].removesuffix(b"}\n")


def first_defect(lines: list[bytes]) -> Defect | None:
    chain = read_chain(b"".join(lines))
    return chain.defect or torn_line(chain)


@settings(max_examples=30)
@given(JOURNALS)
def test_a_journal_as_it_was_written_is_sound(lines: list[bytes]) -> None:
    assert first_defect(lines) is None
    head = read_chain(b"".join(lines)).head
    assert head is not None and head.number == len(lines)
    for written_down in (str(head), head.hash):
        assert missing_head(read_chain(b"".join(lines)), written_down) is None


def test_every_byte_that_is_changed_removed_or_added_is_named() -> None:
    """All places of a byte and, by turns, all values that it may take instead."""
    rng = random.Random(7)
    lines = small_journal(["a", "\u20ac", 'b"\\'])
    sound = b"".join(lines)
    ends = [sum(map(len, lines[: i + 1])) for i in range(len(lines))]
    others = [value for value in range(256) if value != ord("\n")]
    for at, byte in enumerate(sound):
        entry = next(i for i, end in enumerate(ends, 1) if at < end)
        for value in {byte ^ 1, byte ^ 32, ord("\n"), rng.choice(others)} - {byte}:
            found = first_defect([sound[:at] + bytes([value]) + sound[at + 1 :]])
            assert found is not None and found.entry == entry, (at, value, found)
        for other in (b"", bytes([rng.choice(others)]) + sound[at : at + 1]):
            found = first_defect([sound[:at] + other + sound[at + 1 :]])
            assert found is not None and found.entry == entry, (at, other, found)


@settings(max_examples=30)
@given(JOURNALS, st.data())
def test_a_removed_entry_is_named_but_for_the_last(lines: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines) - 2))
    count = data.draw(st.integers(1, len(lines) - 1 - at))
    found = first_defect(lines[:at] + lines[at + count :])
    assert found is not None and (found.what, found.entry) == ("removed", at + 1)


@settings(max_examples=30)
@given(JOURNALS, st.data())
def test_entries_removed_from_the_end_are_told_by_a_head_that_was_written_down(
    lines: list[bytes], data: st.DataObject
) -> None:
    head = read_chain(b"".join(lines)).head
    left = data.draw(st.integers(0, len(lines) - 1))
    chain = read_chain(b"".join(lines[:left]))
    assert chain.defect is None
    found = missing_head(chain, str(head))
    assert found is not None and (found.what, found.entry) == ("removed", left + 1)
    assert missing_head(chain, str(head).partition(":")[2]) is not None


@settings(max_examples=30)
@given(JOURNALS, st.data())
def test_two_entries_that_changed_places_are_named(lines: list[bytes], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(lines) - 2))
    second = data.draw(st.integers(first + 1, len(lines) - 1))
    swapped = lines.copy()
    swapped[first], swapped[second] = swapped[second], swapped[first]
    found = first_defect(swapped)
    assert found is not None and (found.what, found.entry) == ("reordered", first + 1)


@settings(max_examples=30)
@given(JOURNALS, st.data())
def test_an_inserted_entry_is_named(lines: list[bytes], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(lines) - 1))
    previous = BEFORE_FIRST if at == 0 else hash_of(entry_of(lines[at - 1]))
    forged = line_of(small(at + 1, previous, at, "forged"))
    foreign = line_of(small(at + 1, "f" * 64, at, "forged"))
    for line in (forged, foreign, b"\n", b"{}\n", b"\xff\n"):
        found = first_defect([*lines[:at], line, *lines[at:]])
        assert found is not None and (found.what, found.line) == ("inserted", at + 1), line
    copied = data.draw(st.integers(0, at))
    found = first_defect([*lines[: at + 1], lines[copied], *lines[at + 1 :]])
    assert found is not None and (found.what, found.line) == ("inserted", at + 2)


@settings(max_examples=30)
@given(JOURNALS, st.data())
def test_an_entry_that_was_written_anew_with_its_hash_is_named_by_the_next(
    lines: list[bytes], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(lines) - 2))
    previous = BEFORE_FIRST if at == 0 else hash_of(entry_of(lines[at - 1]))
    forged = line_of(small(at + 1, previous, at, "forged"))
    found = first_defect([*lines[:at], forged, *lines[at + 1 :]])
    assert found is not None and (found.what, found.entry) == ("changed", at + 1)


@pytest.mark.parametrize(
    ("sealed", "why"),
    [
        (f"{DAYS[4]}T23:59:59", "on a bar that was complete only at 2020-08-06T00:00:00 UTC"),
        (f"{DAYS[6]}T00:00:00", "when its session was over, at 2020-08-07T00:00:00 UTC"),
    ],
)
def test_an_entry_sealed_by_a_clock_that_its_bars_contradict_is_back_dated(sealed: str, why: str) -> None:
    """Whoever writes all of a journal anew can make the hashes fit."""
    lines: list[bytes] = []
    previous = BEFORE_FIRST
    for i in range(8):
        content = small(i + 1, previous, i, sealed=sealed if i == 4 else None)
        previous = hash_of(content)
        lines.append(line_of(content))
    found = first_defect(lines)
    assert found is not None and (found.what, found.entry, found.line) == ("back-dated", 5, 5)
    assert why in found.why


def test_a_plan_may_be_sealed_at_the_very_end_of_its_bar_and_with_others_at_once() -> None:
    first = small(1, BEFORE_FIRST, 3, sealed=f"{DAYS[4]}T00:00:00")
    second = small(2, hash_of(first), 3, sealed=f"{DAYS[4]}T00:00:00")
    assert first_defect([line_of(first), line_of(second)]) is None


def test_a_clock_that_runs_back_is_back_dating() -> None:
    first = small(1, BEFORE_FIRST, 3, sealed=f"{DAYS[4]}T12:00:00")
    second = small(2, hash_of(first), 3, sealed=f"{DAYS[4]}T11:59:59")
    found = first_defect([line_of(first), line_of(second)])
    assert found is not None and (found.what, found.entry) == ("back-dated", 2)
    other_clock = second.replace(b'"given"', b'"system"')
    assert first_defect([line_of(first), line_of(other_clock)]) is None


@settings(max_examples=30)
@given(JOURNALS, st.data())
def test_a_line_that_was_not_finished_is_torn_and_not_changed(lines: list[bytes], data: st.DataObject) -> None:
    kept = data.draw(st.integers(1, len(lines[-1]) - 1))
    chain = read_chain(b"".join([*lines[:-1], lines[-1][:kept]]))
    assert chain.defect is None and chain.torn == lines[-1][:kept]
    found = torn_line(chain)
    assert found is not None and (found.what, found.entry) == ("torn", len(lines))


def forged(number: int, after: bytes | None) -> bytes:
    """An entry that nobody sealed, after another one or, for None, after none of the journal."""
    return line_of(small(number, "f" * 64 if after is None else hash_of(entry_of(after)), number - 1, "forged"))


A, B, C, D, E = SOUND = small_journal(["a", "b", "c", "d", "e"])
OF_NO_ENTRY = "the line belongs to no entry of the chain"
ANEW = "entry 5 does not follow it: it was rewritten, or that one belongs to another journal"


@pytest.mark.parametrize(
    ("lines", "what", "entry", "line", "why"),
    [
        ([A, B, b"{}\n", C, D, E], "inserted", 3, 3, OF_NO_ENTRY),
        ([A, B, C.replace(b"c", b"x", 1), D, E], "changed", 3, 3, "its bytes are not those of its hash"),
        ([A, B, C, D, B, E], "inserted", 5, 5, "it repeats entry 2"),
        ([A, B, forged(4, B), D, E], "changed", 3, 3, "it calls itself entry 4"),
        ([A, D, C, B, E], "reordered", 2, 2, "entry 4 is in its place, before the entry that it follows"),
        (
            [A, B, forged(3, B), C, D, E],
            "inserted",
            3,
            3,
            "entry 3 follows the one before it, as if this one did not exist",
        ),
        ([A, B, forged(3, None), C, D, E], "inserted", 3, 3, "the next entry follows the one before it"),
        ([A, B, D, E], "removed", 3, 3, "entry 3 is missing before entry 4"),
        ([A, D, E], "removed", 2, 2, "entries 2 to 3 are missing before entry 4"),
        ([A, E], "removed", 2, 2, "entries 2 to 4 are missing before entry 5"),
        ([A, B, C, forged(4, C), E], "changed", 4, 4, ANEW),
        ([forged(1, None), B, C, D, E], "changed", 1, 1, ANEW.replace("5", "1")),
    ],
)
def test_a_defect_is_told_with_its_place_and_its_reason(
    lines: list[bytes], what: str, entry: int, line: int, why: str
) -> None:
    assert first_defect(SOUND) is None
    assert first_defect(lines) == Defect(what=what, entry=entry, line=line, why=why)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("head", "kept", "what", "at", "why"),
    [
        ("5", 4, "removed", 5, "the given head is entry 5, but the journal ends with entry 4"),
        ("5", 2, "removed", 3, "the given head is entry 5, but the journal ends with entry 2"),
        ("", 3, "removed", 3, "no entry has the given hash: it was removed, or entries up to 3 were"),
        ("3", 3, "changed", 3, "no entry has the given hash: it was removed, or entries up to 3 were"),
        ("2", 3, "changed", 2, "no entry has the given hash: it was removed, or entries up to 2 were"),
    ],
)
def test_a_head_that_is_not_there_is_told_with_its_place_and_its_reason(
    head: str, kept: int, what: str, at: int, why: str
) -> None:
    digest = hash_of(entry_of(E))
    found = missing_head(read_chain(b"".join(SOUND[:kept])), f"{head}:{digest}" if head else digest)
    assert found is not None and (found.what, found.entry, found.line) == (what, at, at)
    assert found.why.startswith(why)


def test_a_number_that_is_not_that_of_its_hash_is_no_head() -> None:
    chain, digest = read_chain(b"".join(SOUND)), hash_of(entry_of(B))
    assert missing_head(chain, f"2:{digest}") is None
    assert missing_head(chain, f"3:{digest}") is not None


def test_a_torn_line_is_told_with_its_place_and_its_reason() -> None:
    found = torn_line(read_chain(A + B + C[:9]))
    assert found is not None and (found.what, found.entry, found.line) == ("torn", 3, 3)
    assert found.why.endswith("the next seal puts it aside")


def test_a_hash_is_what_everybody_computes() -> None:
    (line,) = small_journal(["x"])
    assert hash_of(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    (link,) = read_chain(line).links
    assert link is not None and link.content == entry_of(line)
    assert str(read_chain(line).head) == f"1:{hash_of(entry_of(line))}"
    assert set(hash_of(entry_of(line))) <= set(string.hexdigits.lower())
    assert Head(1, "ab") == Head(1, "ab")
