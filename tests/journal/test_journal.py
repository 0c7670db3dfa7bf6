"""The journal in its folder: appended to, never rewritten, by one process at a time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from msgspec.structs import replace

from marketsim.errors import DataError, JournalError, UsageError
from marketsim.journal.chain import read_chain
from marketsim.journal.journal import FILE, Journal
from tests.journal.entries import DAYS, sealed_plan, strategy

ROOT = Path(__file__).parents[2]


def evening(day: int) -> str:
    return f"{DAYS[day + 1]}T00:30"


def test_what_is_sealed_is_read_back_to_the_last_bit(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "deep" / "journal"))
    plan = sealed_plan(strategies=[strategy("always-on", upper=0.1 + 0.2, t=None)])
    appended = journal.append([plan], evening(0))
    assert [each.plan for each in appended.sealed] == [plan]
    assert journal.entries() == appended.sealed
    (sealed,) = appended.sealed
    assert (sealed.entry.number, sealed.entry.sealed, sealed.entry.clock) == (1, "2020-08-02T00:30:00", "given")
    assert str(appended.head) == f"1:{sealed.hash}"


def test_what_stands_there_is_not_rewritten(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    content = b""
    for day in range(4):
        journal.append([sealed_plan(day), sealed_plan(day, symbol="BTCUSD")], evening(day))
        before, content = content, journal.path.read_bytes()
        assert content.startswith(before)
    assert [each.entry.number for each in journal.entries()] == list(range(1, 9))


def test_the_very_same_plan_is_sealed_once(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    first = journal.append([sealed_plan()], evening(0))
    again = journal.append([sealed_plan(), sealed_plan(fee_bps=16.0)], evening(0))
    assert again.known == first.sealed
    assert [each.plan.fee_bps for each in again.sealed] == [16.0]
    assert len(journal.entries()) == 2


def test_a_plan_whose_time_is_over_or_has_not_come_is_refused(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    early = journal.append([sealed_plan(3)], f"{DAYS[4]}T00:00")
    assert early.sealed and not early.refused
    for stamp, why in (
        (
            f"{DAYS[4]}T23:59:59",
            "ETHUSD: not sealed, the bar 2020-08-05 is not complete before 2020-08-06T00:00:00 UTC",
        ),
        (f"{DAYS[6]}T00:00", "ETHUSD: not sealed, the session 2020-08-06 was over at 2020-08-07T00:00:00 UTC"),
    ):
        found = journal.append([sealed_plan(4)], stamp)
        assert (found.sealed, found.refused) == ([], [why])
    assert len(journal.entries()) == 1


def test_a_clock_that_was_set_back_seals_nothing(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.append([sealed_plan(5)], evening(5))
    with pytest.raises(UsageError, match=r"the time that is given is 2020-08-04T00:30:00 UTC.*would be back-dated"):
        journal.append([sealed_plan(2)], evening(2))
    assert len(journal.entries()) == 1


def test_a_broken_journal_is_neither_read_nor_gone_on_with(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    for day in range(3):
        journal.append([sealed_plan(day)], evening(day))
    content = journal.path.read_bytes()
    journal.path.write_bytes(content.replace(b"329.43", b"329.44", 1))
    for action in (journal.entries, lambda: journal.append([sealed_plan(4)], evening(4))):
        with pytest.raises(JournalError, match="entry 1 was changed"):
            action()
    assert len(journal.path.read_bytes()) == len(content)


def test_a_torn_line_is_put_aside_by_the_next_seal(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.append([sealed_plan(0)], evening(0))
    whole = journal.path.read_bytes()
    torn = whole[: len(whole) // 2]
    journal.path.write_bytes(whole + torn)
    assert [each.entry.number for each in journal.entries()] == [1]
    appended = journal.append([sealed_plan(1)], evening(1))
    (note,) = appended.notes
    (aside,) = tmp_path.glob("torn-*")
    assert aside.read_bytes() == torn and aside.name in note
    assert journal.path.read_bytes().startswith(whole)
    assert [each.entry.number for each in journal.entries()] == [1, 2]


def test_an_entry_of_a_version_to_come_is_told_and_still_verified(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path))
    journal.append([sealed_plan(0)], evening(0))
    content = read_chain(journal.path.read_bytes()).links[0].content.replace(b"sealed/1", b"sealed/9", 1)
    from marketsim.journal.chain import line_of

    journal.path.write_bytes(line_of(content))
    assert journal.read().defect is None
    with pytest.raises(DataError, match="entry 1 is not in the format of this version of marketsim"):
        journal.entries()


def test_there_is_no_journal(tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "none"))
    assert not journal.read().links
    with pytest.raises(DataError, match=r"there is no journal; `marketsim plan SYMBOL --seal` starts one"):
        journal.entries()
    (tmp_path / "none").write_text("a file")
    with pytest.raises(DataError, match="not a directory"):
        journal.read()


PROGRAM = """
import sys
from msgspec.structs import replace
from marketsim.journal.journal import Journal
from tests.journal.entries import DAYS, sealed_plan
for i in range(8):
    plan = sealed_plan(symbol=f"{sys.argv[2]}{i}")
    assert len(Journal(sys.argv[1]).append([plan], f"{DAYS[1]}T00:30").sealed) == 1
"""


def test_processes_that_seal_at_once_lose_nothing(tmp_path: Path) -> None:
    commands = [[sys.executable, "-c", PROGRAM, str(tmp_path), name] for name in ("A", "B")]
    running = [subprocess.Popen(command, cwd=ROOT) for command in commands]
    assert [process.wait() for process in running] == [0, 0]
    entries = Journal(str(tmp_path)).entries()
    assert {each.plan.symbol for each in entries} == {f"{name}{i}" for name in "AB" for i in range(8)}
    assert (tmp_path / FILE).read_bytes().count(b"\n") == len(entries) == 16


def test_a_disk_that_takes_only_a_part_leaves_the_journal_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    from marketsim.errors import MarketsimError

    journal = Journal(str(tmp_path))
    journal.append([sealed_plan(0)], evening(0))
    before = journal.path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(MarketsimError, match=r"cannot write there: no space left on device"):
        journal.append([sealed_plan(1)], evening(1))
    monkeypatch.undo()
    assert journal.path.read_bytes() == before
    assert journal.append([replace(sealed_plan(1))], evening(1)).sealed
