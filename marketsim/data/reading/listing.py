"""The files of bars in a folder, its sub-folders and zip archives."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from marketsim.data.reading.contents import BarFile, is_regular, members, printable
from marketsim.data.reading.file_names import PACKED, SUFFIXES
from marketsim.errors import DataError

ENDINGS = (*(f"{suffix}{packed}" for suffix in SUFFIXES for packed in ("", *PACKED)), ".zip")
LOOSE = (".txt", ".json")  # endings of files that may well hold something else


class Listing(Struct, frozen=True):
    """Files that may hold bars, sorted, and remarks on those that are passed over."""

    files: tuple[BarFile, ...]
    notes: tuple[str, ...] = ()


def list_files(path: Path) -> Listing:
    """What is at `path`: the file itself, the members of a zip archive, or what is in the folder and those below it.

    In folders, hidden files and names of other endings are left alone. DataError where nothing is there.
    """
    name = printable(path)
    try:
        if not path.is_dir():
            if not is_regular(path):
                raise DataError(f"{name}: a pipe or a device, which cannot be read twice; save it as a file")
            return Listing(tuple(_opened(path)))
        found, notes = _walk(path)
    except OSError as error:
        raise DataError(f"{name}: {(error.strerror or str(error)).lower()}") from error
    except ValueError as error:  # a NUL in a name
        raise DataError(f"{name}: {error}") from None
    if not found:
        raise DataError(f"{name}: no .csv, .txt, .json, .parquet or .feather file in this directory")
    return Listing(tuple(found), tuple(notes))


def is_loose(file: BarFile) -> bool:
    """Whether a file may be left alone where it holds no bars, for its ending promises none."""
    return file.stem.lower().endswith(LOOSE)


def _walk(path: Path) -> tuple[list[BarFile], list[str]]:
    found: list[BarFile] = []
    notes: list[str] = []

    def passed_over(error: OSError) -> None:
        where = error.filename if error.filename is not None else path
        notes.append(f"{printable(Path(where))} is skipped: {(error.strerror or str(error)).lower()}")

    os.listdir(path)  # a folder that cannot be read itself is an error
    for folder, below, names in os.walk(path, onerror=passed_over):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            own = Path(folder, name)
            if name.startswith(".") or not name.lower().endswith(ENDINGS):
                continue
            try:
                if not is_regular(own):
                    notes.append(f"{printable(own)} is a pipe or a device and is skipped")
                else:
                    found += _opened(own)
            except (OSError, DataError) as error:
                words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
                notes.append(f"{printable(own)} is skipped: {words}")
    return found, notes


def _opened(path: Path) -> list[BarFile]:
    """The file, or its members with bars where it is a zip archive: of a known ending, or else all."""
    inside = members(path)
    if inside is None:
        return [BarFile(path)]
    own = [name for name in inside if not name.split("/")[-1].startswith(("__", ".")) and "__MACOSX" not in name]
    sure = [name for name in own if name.lower().endswith(ENDINGS) and not name.lower().endswith(LOOSE)]
    chosen = sure or own
    if not chosen:
        raise DataError(f"{printable(path)}: a zip archive without a file")
    return [BarFile(path, name) for name in chosen]
