"""Files and folders that an option names, such as `--trace FILE`: checked before the work, written after it."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path

from marketsim.errors import MarketsimError, UsageError
from marketsim.whole_file import whole_file


def check_file(option: str, name: str, suffixes: tuple[str, ...] = (), overwrite: bool = False) -> None:
    """UsageError where `option` names a file that cannot be written, has none of the `suffixes`, or would be lost."""
    path = Path(name)
    if not name.strip() or path.is_dir():
        raise UsageError(f"{option} needs the name of a file, not '{name}'")
    if suffixes and path.suffix not in suffixes:
        *others, last = suffixes
        raise UsageError(f"{option} {name}: must end in {' or '.join(filter(None, (', '.join(others), last)))}")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {name}: there is no folder {path.parent}")
    if path.is_file() and not overwrite:
        raise UsageError(f"{option} {name}: already exists; --overwrite replaces it")
    if path.is_fifo() and path.resolve().exists():  # other than the shell's >(...), it may have no reader
        raise UsageError(f"{option} {name}: is a pipe; name a file")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{option} {name}: cannot write there")


def make_folder(option: str, name: str) -> Path:
    """The folder that `option` names, which is made if need be; UsageError where nothing can be written there."""
    path = Path(name)
    if not name.strip() or (path.exists() and not path.is_dir()):
        raise UsageError(f"{option} needs the name of a folder, not '{name}'")
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{option} {name}: cannot write there: {error.strerror or error}") from None
    if not os.access(path, os.W_OK):
        raise UsageError(f"{option} {name}: cannot write there")
    return path


def write_file(name: str, text: str) -> None:
    """Write the text, whole or not at all; MarketsimError where that fails after all."""
    path = Path(name)
    whole = path.is_file() or not path.exists()  # a pipe of the shell has nothing to lose
    try:
        with whole_file(Path(os.path.realpath(path))) if whole else nullcontext(path) as new:
            new.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise MarketsimError(f"cannot write {name}: {error.strerror}") from None
