"""run.json: marks a directory as a run's, with a digest of each of its files."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path
from typing import IO, TypeVar

from msgspec import Struct, field

from marketsim import __version__
from marketsim.digests import add_contents, blake2b
from marketsim.errors import DataError
from marketsim.results.code import code_digest, libraries
from marketsim.results.plugins import PluginFacts, plugins_of
from marketsim.results.rows import Count, Row, Setting
from marketsim.results.sealed import Blake2b, seal, unseal

NAME = "run.json"

T = TypeVar("T", bound=Row)


class Unfinished(Row, frozen=True, tag_field="schema", tag="marketsim.unfinished/1"):
    """A run that is not over yet: what its parts have in common; two runs that agree in it may be joined."""

    command: str
    marketsim: str  # version
    code: Blake2b  # of the package's own sources
    libraries: dict[str, str]  # and their versions
    settings: dict[str, Setting]
    plugins: dict[str, PluginFacts] = field(default_factory=dict)  # from outside, by the setting that names them

    @classmethod
    def now(cls, command: str, settings: dict[str, Setting]) -> Unfinished:
        """A run that begins in this process."""
        return cls(
            command=command,
            marketsim=__version__,
            code=code_digest(),
            libraries=libraries(),
            settings=settings,
            plugins=plugins_of(settings),
        )


class FileFacts(Row, frozen=True):
    """A file as it was written."""

    bytes: Count
    blake2b: Blake2b


class Manifest(Row, frozen=True, tag_field="schema", tag="marketsim.run/1"):
    """A run that is over: what made it, and its files."""

    command: str
    marketsim: str  # version
    code: Blake2b  # of the package's own sources
    files: dict[str, FileFacts]


def of_files(directory: Path, names: Iterable[str], command: str) -> Manifest:
    """The manifest of the files of these names in `directory`."""
    files = {}
    for name in names:
        with (directory / name).open("rb") as file:
            files[name] = _facts(file)
    return Manifest(command, __version__, code_digest(), files)


def write(directory: Path, row: Row) -> None:
    """Write `row`, a manifest or what precedes it, to `directory`, whole or not at all."""
    part = directory / f"{NAME}.new"
    part.write_bytes(seal(row))
    part.replace(directory / NAME)


def read(directory: Path, kind: type[T]) -> T | None:
    """The written manifest; None without one, DataError if it is damaged."""
    path = directory / NAME
    try:
        return unseal(_content(path), kind)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise DataError(f"{path}: {(error.strerror or str(error)).lower()}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path}: not as marketsim wrote it: {error}") from None


class RunFiles(Struct, frozen=True):
    """The files of a finished run, which are read as they were written or not at all."""

    directory: Path
    manifest: Manifest

    @classmethod
    def of(cls, directory: Path) -> RunFiles:
        """Those in `directory`; DataError where no run of this version is."""
        found = read(directory, Manifest)
        if found is None:
            raise DataError(f"{directory}: no {NAME} says what was run there; `marketsim backtest --output` writes one")
        return cls(directory, found)

    def read(self, name: str) -> bytes:
        """The bytes of a file; DataError if it is missing or not as the run wrote it."""
        path = self.directory / name
        try:
            content = _content(path)
        except OSError as error:
            raise DataError(f"{path}: {(error.strerror or str(error)).lower()}") from None
        if self.manifest.files.get(name) != _facts(BytesIO(content)):
            raise DataError(f"{path}: damaged, or changed since it was written: its digest is not the one in {NAME}")
        return content


def _content(path: Path) -> bytes:
    """The bytes of a file; OSError for a pipe or a device in its place, which may have no end."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "not a file")
    return path.read_bytes()


def _facts(file: IO[bytes]) -> FileFacts:
    digest = blake2b(digest_size=32)
    return FileFacts(add_contents(digest, file), digest.hexdigest())
