"""A run with --output is killed, or the disk fails, at each of its file-system events: all files or none, none lost."""

from __future__ import annotations

import builtins
import errno
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from marketsim.errors import MarketsimError
from tests.faults.ended_early import NEW, NONE_LEFT, OLD, content, finished, write

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.parametrize(
    ("way", "state", "step"), [("kill", "empty", 3), ("kill", "old", 1), ("ENOSPC", "old", 1), ("EIO", "empty", 3)]
)
def test_all_files_or_none_whatever_event_was_the_last(way: str, state: str, step: int, tmp_path: Path) -> None:
    program = [sys.executable, "-m", "tests.faults.ended_early", way, state, str(step), str(tmp_path)]
    done = subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(rows) > 30 / step
    for row in rows:
        assert row["code"] in ((-signal.SIGKILL, NONE_LEFT) if way == "kill" else (0, 1, 2, 3, NONE_LEFT)), row
        assert row["left"] in ("all", "none"), row
        assert row["again"] == (2 if row["left"] == "all" else 0), row
        assert row["whole"], row
    assert {row["left"] for row in rows} == {"all", "none"}


class Failing:
    """A file whose disk fails at the n-th write of all such files."""

    left = 0
    error = errno.ENOSPC

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, content: Any) -> Any:
        Failing.left -= 1
        if Failing.left < 0:
            raise OSError(Failing.error, os.strerror(Failing.error))
        return self._file.write(content)

    def __enter__(self) -> Failing:
        return self

    def __exit__(self, *raised: Any) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_takes_no_more_is_one_line_and_costs_nothing(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = finished(OLD), finished(NEW)
    write(tmp_path / "run", old, OLD)
    write(tmp_path / "expected", new, NEW)
    before, after = content(tmp_path / "run"), content(tmp_path / "expected")
    honest = io.open

    def failing(file: Any, mode: str = "r", *others: Any, **more: Any) -> Any:
        opened = honest(file, mode, *others, **more)
        return Failing(opened) if "w" in mode and str(tmp_path) in str(file) else opened

    writes = 0
    said: list[str] = []
    while content(tmp_path / "run") == before:
        Failing.left, Failing.error = writes, error
        with monkeypatch.context() as patch:
            patch.setattr(builtins, "open", failing)
            patch.setattr(io, "open", failing)
            try:
                write(tmp_path / "run", new, NEW, resume=True, overwrite=True)
            except MarketsimError as caught:
                said.append(str(caught))
        writes += 1
    assert len(said) == writes - 1 > 5
    assert all(os.strerror(error) in words and "\n" not in words for words in said)
    assert content(tmp_path / "run") == after


def limited(limit: int, directory: Path, *arguments: Any) -> int:
    """The exit code of `write` in a process none of whose files may grow beyond so many bytes."""
    if child := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    import resource  # which Unix has

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    code = 0
    try:
        write(directory, *arguments)
    except MarketsimError as error:
        code = error.exit_code if "\n" not in str(error) else 98
    except BaseException:
        code = 99
    os._exit(code)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_limit_on_the_size_of_files_costs_the_new_run_and_not_the_old(tmp_path: Path) -> None:
    old, new = finished(OLD), finished(NEW)
    write(tmp_path / "old", old, OLD)
    write(tmp_path / "new", new, NEW)
    before, after = content(tmp_path / "old"), content(tmp_path / "new")
    codes = []
    for limit in (0, 1, *(len(file) - 1 for file in after.values()), 1 << 20):
        directory = tmp_path / f"at-most-{limit}"
        shutil.copytree(tmp_path / "old", directory)
        codes.append(limited(limit, directory, new, NEW, False, True))
        assert content(directory) == (after if codes[-1] == 0 else before), limit
    assert codes[-1] == 0 and codes.index(0) > 2 and {0, 1, 2}.issuperset(codes)
