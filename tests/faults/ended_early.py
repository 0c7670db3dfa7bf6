"""Runs with --output that end at one of their file-system events.

Started as `python -m tests.faults.ended_early WAY STATE STEP DIR`.

WAY is `kill`, or the error that the event ends with, such as ENOSPC. STATE is what was there before: `empty`, or `old`
for a finished run and somebody's notes. Every STEP-th event is tried. A line of JSON for each says what it left, and
what came of the same run with --resume.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from marketsim.backtesting import pipeline
from marketsim.backtesting.worker import finish
from marketsim.errors import MarketsimError
from marketsim.profiling import Clock
from marketsim.results.result import FinishedSymbol
from marketsim.results.run_directory import RunDirectory
from marketsim.results.timing import timing_document
from marketsim.settings.settings import Settings

EVENTS = ("open", "os.rename", "os.mkdir", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.listdir", "os.scandir")
NEW = Settings.of(sims=2, window=3, model="last-bar", strategy="always-on", cache="off")
OLD = NEW.replace(fill="touch")
TIMING = timing_document(Clock())
NONE_LEFT = 50  # the exit code of a run that ended before its n-th event


def finished(settings: Settings) -> list[FinishedSymbol]:
    return [finish(run, "model", True) for run in pipeline.run(["ETHUSD", "NVDA"], settings, Clock())]


def write(
    directory: Path, symbols: list[FinishedSymbol], settings: Settings, resume: bool = False, overwrite: bool = False
) -> None:
    """The files of a run of these symbols, each kept first."""
    with RunDirectory(str(directory), settings, resume, overwrite) as run:
        for symbol in symbols:
            kept = run.find(symbol.symbol) if run.resumed else None
            if kept is None:
                run.keep(symbol)
            run.add(kept or symbol)
        run.finish(TIMING)


def exit_code(directory: Path, *arguments: Any) -> int:
    """The exit code of `write`."""
    try:
        write(directory, *arguments)
    except MarketsimError as error:
        return error.exit_code if "\n" not in str(error) else 98
    return 0


def in_child(way: str, event: int, directory: Path, *arguments: Any) -> int:
    """The exit code of `write` in a process of its own, which ends at its n-th `event` below the directory."""
    if pid := os.fork():
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    seen = 0

    def hook(name: str, values: tuple[Any, ...]) -> None:
        nonlocal seen
        if name in EVENTS and str(directory) in " ".join(map(str, values[:2])):
            seen += 1
            if seen == event and way == "kill":
                os.kill(os.getpid(), signal.SIGKILL)
            if seen == event:
                raise OSError(getattr(errno, way), os.strerror(getattr(errno, way)))

    sys.addaudithook(hook)
    try:
        code = exit_code(directory, *arguments)
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        code = 99
    os._exit(NONE_LEFT if seen < event else code)


def content(directory: Path) -> dict[str, bytes]:
    """The files that can be read there, without what is hidden."""
    paths = directory.iterdir() if directory.exists() else ()
    return {path.name: path.read_bytes() for path in paths if not path.name.startswith(".") and path.exists()}


def main(way: str, state: str, step: int, place: Path) -> None:
    old, new = finished(OLD), finished(NEW)
    write(place / "old", old, OLD)
    write(place / "new", new, NEW)
    (place / "old" / "notes.txt").write_text("mine")
    before = content(place / "old") if state == "old" else {}
    after = before | content(place / "new")
    code, event = 0, 1 - step
    while code != NONE_LEFT:
        event += step
        directory = place / f"ended-at-{event}"
        if state == "old":
            shutil.copytree(place / "old", directory)
        code = in_child(way, event, directory, new, NEW, False, state == "old")
        left = content(directory)
        again = exit_code(directory, new, NEW, True, state == "old" and left == before)
        words = "all" if left == after else "none" if left == before else "some"
        row = {"event": event, "code": code, "left": words, "again": again, "whole": content(directory) == after}
        print(json.dumps(row), flush=True)
        shutil.rmtree(directory)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4]))
