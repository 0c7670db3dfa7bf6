"""The folder of a run's files: what is finished is kept there as it comes, and the files appear whole at the end."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from textwrap import indent
from types import TracebackType
from typing import IO

from marketsim.data.symbols import parse_symbol
from marketsim.errors import DataError, MarketsimError, UsageError
from marketsim.results.document import head, to_json
from marketsim.results.result import Finished, Row
from marketsim.settings.settings import Settings

PARTS = ".unfinished"  # below the folder, while a run lasts
HEAD = "run.json"  # there: what all parts have in common
FILES = ("results.json", "simulations.csv", "equity.csv")
TIMING = "timing.json"  # apart from them: it is never twice the same


def open_directory(directory: str) -> Path:
    """The output directory, made if need be; UsageError when nothing can be written there."""
    path = Path(directory)
    if not directory.strip():
        raise UsageError("--output needs the name of a directory")
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".marketsim-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(f"--output {directory}: cannot write there: {error.strerror}") from None
    return path


def write_texts(directory: Path, texts: Mapping[str, str]) -> None:
    """Files of these names and texts; all of them or none. MarketsimError when the disk does not take them."""
    parts = {name: directory / f".{name}-{os.getpid()}" for name in texts}
    try:
        for name, text in texts.items():
            parts[name].write_text(text, encoding="utf-8", newline="")
        for name, part in parts.items():
            part.replace(directory / name)
    except OSError as error:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise MarketsimError(f"cannot write to {directory}: {error.strerror}") from None


class DocumentWriter:
    """Writes the text of `to_json(report.document(...))` to `file`, a symbol at a time."""

    def __init__(self, file: IO[str], settings: Settings) -> None:
        self._file = file
        self._before, self._after = to_json(head(settings) | {"symbols": []}).rsplit("]", 1)
        self._empty = True

    def add(self, document: Row) -> None:
        """The next symbol's part of the document."""
        self._file.write(f"{self._before}\n" if self._empty else ",\n")
        self._file.write(indent(to_json(document).rstrip("\n"), "    "))
        self._empty = False

    def end(self) -> None:
        """What comes after the last symbol."""
        self._file.write((f"{self._before}]" if self._empty else "\n  ]") + self._after)


class Folder:
    """The files of one run in `path`, made if need be.

    `keep` puts a finished symbol on the disk at once, in a file of its own; `add` takes the symbols again, in their
    order, into the final files, which `close` puts in place, all of them or none. A run that ends before that leaves
    what it kept, for one with `resume` to go on from. UsageError where nothing can be written, and where what was
    kept comes from other settings.
    """

    def __init__(self, directory: str, settings: Settings, resume: bool = False) -> None:
        self.path = open_directory(directory)
        self.resumed = False  # whether some of them may be an earlier run's
        self.notes: list[str] = []
        self._parts = self.path / PARTS
        self._files = ExitStack()
        try:
            self._begin(to_json(head(settings)), resume)
            with ExitStack() as opened:
                results, self._simulations, self._equity = (
                    opened.enter_context(open(self._parts / name, "w", encoding="utf-8", newline="")) for name in FILES
                )
                self._files = opened.pop_all()
        except OSError as error:
            raise UsageError(f"--output {directory}: cannot write there: {error.strerror}") from None
        self._document = DocumentWriter(results, settings)
        self._headed = False

    @property
    def kept(self) -> int:
        """Symbols that are on the disk by now."""
        return len(list(self._parts.glob("*.part")))

    def find(self, symbol: str) -> Finished | None:
        """What an earlier run kept of `symbol`; None where it kept nothing, or nothing that can be read."""
        try:
            found = json.loads(self._part(parse_symbol(symbol)).read_text(encoding="utf-8"))
            return Finished(**found | {"notes": tuple(found["notes"])})
        except (OSError, ValueError, TypeError, KeyError, DataError):
            return None

    def keep(self, finished: Finished) -> None:
        """Put a finished symbol on the disk, whole or not at all; one that failed is to be tried again instead."""
        if finished.error is None:
            name = self._part(finished.document["symbol"]).name
            write_texts(self._parts, {name: to_json(asdict(finished))})

    def add(self, finished: Finished) -> None:
        """The next symbol of the final files."""
        with self._writing():
            self._document.add(finished.document)
            for file, text in ((self._simulations, finished.simulations), (self._equity, finished.equity)):
                file.write(text.partition("\n")[2] if self._headed else text)
            self._headed = self._headed or bool(finished.simulations)

    def close(self, timing: Row) -> None:
        """Put the final files in place, and `timing.json` beside them; nothing else is left."""
        with self._writing():
            self._document.end()
            self._files.close()
            write_texts(self._parts, {TIMING: to_json(timing)})
            for name in (*FILES, TIMING):
                (self._parts / name).replace(self.path / name)
            shutil.rmtree(self._parts)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let go of a run that is not whole: what was kept stays, and is spoken of."""
        with suppress(OSError):  # a disk that is full
            self._files.close()
        if count := self.kept:
            self.notes.append(f"{count} finished symbols are kept in {self.path}; the same with --resume goes on")
        else:
            shutil.rmtree(self._parts, ignore_errors=True)

    def _begin(self, common: str, resume: bool) -> None:
        """Make the place of the parts; what is there is taken over, or left out of use."""
        place = self._parts / HEAD
        before = place.read_text(encoding="utf-8") if place.exists() else None
        count = self.kept
        if resume and before is None:
            self.notes.append(f"nothing to resume in {self.path}: every symbol is run")
        elif resume and before is not None and before != common:
            raise UsageError(
                f"--resume: {self.path} holds {count} symbols of another run ({_difference(before, common)}): "
                "run it as it was, or leave out --resume to begin anew"
            )
        self.resumed = resume and before is not None
        if not self.resumed:
            if count:
                self.notes.append(f"{count} finished symbols of an interrupted run in {self.path} are given up")
            if self._parts.exists():
                shutil.rmtree(self._parts)
            self._parts.mkdir()
            write_texts(self._parts, {HEAD: common})

    def _part(self, symbol: str) -> Path:
        return self._parts / f"{symbol}.part"

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise MarketsimError(f"cannot write to {self.path}: {error.strerror}") from None


def _difference(before: str, now: str) -> str:
    """The first value in which two heads differ, in words."""
    try:
        old, new = json.loads(before), json.loads(now)
        for key, value in new.items():
            for name, here in value.items() if isinstance(value, dict) else ((key, value),):
                there = old[key][name] if isinstance(value, dict) else old[key]
                if there != here:
                    return f"its {name} was {there}, now {here}"
    except (ValueError, KeyError, TypeError):
        pass
    return "it cannot be read"
