"""The directory of --output: one run at a time writes there, and files of others are never touched."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from marketsim.errors import MarketsimError, UsageError
from marketsim.results import manifest
from marketsim.results.lock import LOCK_FILE, lock
from marketsim.results.manifest import Manifest, Unfinished
from marketsim.results.publication import SWITCH, Publication
from marketsim.settings.named_files import make_folder

WORKSPACE = ".unfinished"  # below the directory, while a run lasts
PART = ".part"  # how the files there end that hold what is finished already


class OutputDirectory:
    """The directory of a run that writes files of certain `names`; entering makes it if need be, and locks it.

    With `resume` the parts stay that an interrupted run of the same `head` kept there. A finished run is replaced only
    with `overwrite`. UsageError where the directory is locked, cannot be written or holds anything but a run, and where
    something would be lost that nobody gave up; DataError where what a run left there is damaged.
    """

    def __init__(
        self, directory: str, head: Unfinished, names: Sequence[str], resume: bool = False, overwrite: bool = False
    ) -> None:
        if not directory.strip():
            raise UsageError("--output needs the name of a directory")
        self.path = Path(directory)
        self.workspace = self.path / WORKSPACE
        self.staging = self.workspace / "staging"  # holds files that are not whole
        self.resumed = False  # whether there may be parts of an earlier run
        self.notes: list[str] = []
        self._head, self._resume, self._overwrite = head, resume, overwrite
        self._names = (*names, manifest.NAME)
        self._old: tuple[str, ...] = ()  # names of the finished run that is there
        self._publication = Publication(
            self.path, self.workspace / "staged", self.workspace / "replaced", manifest.NAME
        )
        self._held = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as held:
            try:
                make_folder("--output", self.path)
                held.enter_context(self._locked())
                self._begin()
            except OSError as error:
                raise UsageError(f"--output {self.path}: cannot write there: {error.strerror or error}") from None
            self._held = held.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of the directory; of a run that is not over the parts stay, and are spoken of."""
        with self._held, suppress(OSError):  # a disk that is full
            self._publication.settle(self._names)
            if count := self.kept:
                self.notes.append(
                    f"{count:,} finished symbols are kept in {self.path}; the same command with --resume continues"
                )
            else:
                self._clear()

    @property
    def kept(self) -> int:
        """Parts that are on the disk by now."""
        return len(list(self.workspace.glob(f"*{PART}")))

    def keep_part(self, name: str, content: bytes) -> None:
        """Put a part on the disk, whole or not at all."""
        with self.writing():
            new = self.workspace / f"{name}{PART}.new"
            new.write_bytes(content)
            new.replace(new.with_suffix(""))

    def read_part(self, name: str) -> bytes | None:
        """A saved part; None without one."""
        try:
            return (self.workspace / f"{name}{PART}").read_bytes()
        except OSError:
            return None

    def stage(self, name: str, text: str) -> None:
        """Write a file, which `publish` puts in place."""
        with self.writing():
            (self.staging / name).write_text(text, encoding="utf-8", newline="")

    def publish(self) -> None:
        """Put the staged files, all of which are whole, in place at once; nothing else of the run is left."""
        with self.writing():
            manifest.write(self.staging, manifest.of_files(self.staging, self._names[:-1], self._head.command))
            for name in self._names:
                _to_disk(self.staging / name)
            self.staging.replace(self._publication.staged)
            self._publication.aside.mkdir()
            self._publication.publish(self._names, self._old)
        with suppress(OSError):  # what is left is in nobody's way
            self._clear()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """MarketsimError where the disk does not take what is written inside."""
        try:
            yield
        except OSError as error:
            raise MarketsimError(f"cannot write to {self.path}: {error.strerror or error}") from None

    @contextmanager
    def _locked(self) -> Iterator[None]:
        unlock = lock(self.path)
        if unlock is None:
            raise UsageError(f"--output {self.path}: another run is writing there; wait for it, or name another place")
        try:
            yield
        finally:
            unlock()

    def _begin(self) -> None:
        """Take over the directory, and create the workspace."""
        unfinished = manifest.read(self.workspace, Unfinished)
        if unfinished is not None:
            self._publication.settle(self._names)
        finished = manifest.read(self.path, Manifest)
        self._old = () if finished is None else (*finished.files, manifest.NAME)
        self._refuse_others(nothing_of_a_run=unfinished is None and finished is None)
        self._refuse_loss(unfinished, finished)
        self.resumed = self._resume and unfinished is not None
        if self._resume and not self.resumed:
            self.notes.append(f"nothing to resume in {self.path}: all symbols are run")
        self._clear(parts=not self.resumed)
        for place in (self._publication.staged, self._publication.aside):
            if place.exists():
                raise UsageError(f"--output {self.path}: {place} contains files that no run wrote; move it away")
        self.staging.mkdir(parents=True, exist_ok=True)
        manifest.write(self.workspace, self._head)

    def _refuse_others(self, nothing_of_a_run: bool) -> None:
        """UsageError if the directory has files that are not a run's, or that block one."""
        others = {*os.listdir(self.path)} - {*self._old, LOCK_FILE, WORKSPACE}
        if nothing_of_a_run and self.workspace.exists():
            made = {self.staging.name, f"{manifest.NAME}.new"}  # by a run that was killed at its start
            others |= {f"{WORKSPACE}/{name}" for name in os.listdir(self.workspace) if name not in made}
        if nothing_of_a_run and others:
            raise UsageError(
                f"--output {self.path}: holds '{min(others)}' and no run of marketsim; name a new or an empty directory"
            )
        if in_the_way := others & {*self._names}:
            raise UsageError(f"--output {self.path}: '{min(in_the_way)}' there is not the run's; move it away")

    def _refuse_loss(self, unfinished: Unfinished | None, finished: Manifest | None) -> None:
        """UsageError if there is a run that this one neither continues nor may replace."""
        if finished is not None and not self._overwrite:
            what = "nothing to resume; " if self._resume else ""
            raise UsageError(f"--output {self.path}: holds a finished run: {what}--overwrite replaces it")
        if unfinished is not None and self._resume and unfinished != self._head:
            raise UsageError(
                f"--resume: {self.path} holds {self.kept} symbols of another run "
                f"({_difference(unfinished, self._head)}): repeat its command, or discard it with --overwrite instead"
            )
        if self.kept and not (self._resume or self._overwrite):
            raise UsageError(
                f"--output {self.path}: holds {self.kept} finished symbols of an interrupted run: --resume goes on "
                "with them, --overwrite gives them up"
            )

    def _clear(self, parts: bool = True) -> None:
        """Remove what a run made in its workspace; the whole of it with its `parts`."""
        marker = (f"{manifest.NAME}.new", manifest.NAME)
        names = {*self._names, *self._old, *marker}
        made = names | {f"{name}.link" for name in (*names, SWITCH)}
        for place in (self.staging, self._publication.staged, self._publication.aside):
            if place.is_dir():
                _remove(place, [name for name in os.listdir(place) if name in made])
        if parts and self.workspace.is_dir():
            kept = [name for name in os.listdir(self.workspace) if name.removesuffix(".new").endswith(PART)]
            _remove(self.workspace, [*kept, *(name for name in marker if (self.workspace / name).exists())])


def _remove(directory: Path, names: Sequence[str]) -> None:
    """Remove files from a directory, and itself if that leaves it empty: somebody may have put something there."""
    for name in names:
        (directory / name).unlink()
    with suppress(OSError):
        directory.rmdir()


def _to_disk(path: Path) -> None:
    """Do not leave to the system when a file is written."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _difference(before: Unfinished, now: Unfinished) -> str:
    """The first value in which two runs differ, in words."""
    old, new = (
        {"command": head.command, "marketsim": head.marketsim}
        | head.settings
        | head.libraries
        | {"code": head.code[:12]}
        for head in (before, now)
    )
    key = next(key for key in old | new if old.get(key) != new.get(key))
    return f"its {key} was {old.get(key)}, now {new.get(key)}"
