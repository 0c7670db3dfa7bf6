"""Sealing is killed at each of its file-system events, and in the middle of its writes: an entry is there or is not."""

from __future__ import annotations

import builtins
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from marketsim.journal import journal as module
from marketsim.journal.chain import torn_line
from marketsim.journal.journal import FILE, Journal
from tests.faults.ended_early import EVENTS, NONE_LEFT
from tests.journal.entries import DAYS, sealed_plan

pytestmark = pytest.mark.slow

BEFORE, PLANS = [sealed_plan(0)], [sealed_plan(1), sealed_plan(1, symbol="BTCUSD")]
TORN = b'{"hash":"0123","entry":{"numb'


class Killing:
    """A file whose process is killed at an event: before a write, in the middle of it, or after it."""

    def __init__(self, file: Any, event: Any) -> None:
        self._file, self._event = file, event

    def write(self, content: bytes) -> int:
        self._event()
        for share in (1, len(content) // 3, 3 * len(content) // 4, len(content) - 1):
            if self._event(kill=False):
                self._file.write(content[:share])
                os.kill(os.getpid(), signal.SIGKILL)
        written: int = self._file.write(content)
        self._event()
        return written

    def truncate(self, size: int) -> None:
        self._event()
        self._file.truncate(size)

    def __enter__(self) -> Killing:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def killed_at(event: int, directory: Path) -> int:
    """The exit code of a process that seals and is killed at its n-th event below the directory."""
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    seen = 0

    def count(kill: bool = True) -> bool:
        nonlocal seen
        seen += 1
        if seen == event and kill:
            os.kill(os.getpid(), signal.SIGKILL)
        return seen == event

    def hook(name: str, values: tuple[Any, ...]) -> None:
        if name in (*EVENTS, "os.truncate") and str(directory) in " ".join(map(str, values[:2])):
            count()

    honest = os.fsync

    def watched(*words: Any, **more: Any) -> Killing:
        return Killing(builtins.open(*words, **more), count)

    module.__dict__["open"] = watched
    os.fsync = lambda descriptor: (count(), honest(descriptor))[1]  # type: ignore[assignment]
    sys.addaudithook(hook)
    try:
        Journal(str(directory)).append(PLANS, f"{DAYS[2]}T00:30")
    except BaseException:
        os._exit(99)
    os._exit(NONE_LEFT if seen < event else 0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize("torn", [b"", TORN])
def test_an_entry_is_there_or_is_not(torn: bytes, tmp_path: Path) -> None:
    journal = Journal(str(tmp_path / "before"))
    journal.append(BEFORE, f"{DAYS[1]}T00:30")
    whole = journal.path.read_bytes()
    journal.path.write_bytes(whole + torn)
    code, event, left = 0, 0, set()
    while code != NONE_LEFT:
        event += 1
        directory = tmp_path / f"killed-at-{event}"
        shutil.copytree(journal.directory, directory)
        code = killed_at(event, directory)
        assert code in (-signal.SIGKILL, NONE_LEFT), event
        own = Journal(str(directory))
        assert own.path.read_bytes().startswith(whole), event
        found = own.read()
        assert found.defect is None, event
        plans = [each.plan for each in own.entries()]
        assert plans == [*BEFORE, *PLANS][: len(plans)] and len(plans) >= 1, event
        left.add((len(plans), torn_line(found) is not None))
        again = own.append(PLANS, f"{DAYS[2]}T00:31")
        assert len(again.known) == len(plans) - 1, event
        assert [each.plan for each in own.entries()] == [*BEFORE, *PLANS], event
        assert torn_line(own.read()) is None
        if torn:
            assert any(path.read_bytes() == torn for path in directory.glob("torn-*")), event
    assert event > 10
    assert left >= {(1, False), (1, True), (2, True), (3, False)}, "torn in the first entry and in the second"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_the_first_entry_of_all_is_there_or_is_not(tmp_path: Path) -> None:
    code, event, left = 0, 0, set()
    while code != NONE_LEFT:
        event += 1
        directory = tmp_path / f"killed-at-{event}" / "journal"
        code = killed_at(event, directory)
        own = Journal(str(directory))
        left.add(len(own.entries()) if (directory / FILE).exists() else 0)
        own.append(PLANS, f"{DAYS[2]}T00:31")
        assert [each.plan for each in own.entries()] == PLANS, event
    assert left >= {0, 2}
