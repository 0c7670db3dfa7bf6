"""Files that an option names, such as `--trace FILE`: checked before the work, written after it."""

from __future__ import annotations

import os
from pathlib import Path

from marketsim.errors import MarketsimError, UsageError


def check_file(option: str, name: str, suffixes: tuple[str, ...] = (), overwrite: bool = True) -> None:
    """UsageError where the file that `option` names cannot be written, or has none of the `suffixes`.

    One that is there already is replaced only with `overwrite`.
    """
    path = Path(name)
    if not name.strip() or path.is_dir():
        raise UsageError(f"{option} needs the name of a file, not '{name}'")
    if suffixes and path.suffix not in suffixes:
        raise UsageError(f"{option} {name}: must end in {' or '.join(suffixes)}")
    if not path.parent.is_dir():
        raise UsageError(f"{option} {name}: there is no folder {path.parent}")
    if path.exists() and not overwrite:
        raise UsageError(f"{option} {name}: is there already; --overwrite replaces it")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise UsageError(f"{option} {name}: cannot write there")


def write_file(name: str, text: str) -> None:
    """Write the text, as it is; MarketsimError where that fails after all."""
    try:
        Path(name).write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise MarketsimError(f"cannot write {name}: {error.strerror}") from None
