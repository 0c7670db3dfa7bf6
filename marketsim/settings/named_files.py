"""Files and folders that a user names: small input files, output folders. Standard library only."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from marketsim.errors import UsageError

MOST_BYTES = 1 << 24  # far more than a list of a million symbols takes
PATIENCE = 2_000  # milliseconds in which somebody must open a pipe to write to it


def read_bytes(path: str | Path) -> bytes:
    """The content of a file, or of a pipe such as the shell's `<(...)`.

    OSError where it cannot be read, is larger than `MOST_BYTES` (a device has no end), or is a pipe that nobody writes
    to.
    """
    # Without O_NONBLOCK, opening a pipe that nobody writes to would never return.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        begun = _begun(descriptor) if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else b""
        content = begun + file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"more than {MOST_BYTES >> 20} MiB, too large for such a file")
    return content


def read_text(path: str | Path) -> str:
    """The text of such a file, in UTF-8 with or without a byte order mark; UnicodeDecodeError where it is no text."""
    return read_bytes(path).decode("utf-8-sig")


def read_lines(path: str | Path) -> list[str]:
    """The lines of such a text that are not empty, without comments, which begin with #."""
    lines = (line.partition("#")[0].strip() for line in read_text(path).splitlines())
    return [line for line in lines if line]


def make_folder(option: str, folder: Path) -> None:
    """Make the folder that an option names for output, if need be; UsageError where nothing can be written there."""
    try:
        if folder.exists() and not folder.is_dir():
            raise UsageError(f"{option} {folder}: already exists, and is not a folder")
        folder.mkdir(parents=True, exist_ok=True)
    except (OSError, ValueError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(f"{option} {folder}: cannot write there: {words.lower()}") from None
    if not os.access(folder, os.W_OK):
        raise UsageError(f"{option} {folder}: cannot write there")


def _begun(pipe: int) -> bytes:
    """The first byte of a pipe, if it has come within `PATIENCE`; OSError where there is no writer by then."""
    import select

    first = b""
    if hasattr(select, "poll"):  # not on Windows
        poll = select.poll()
        poll.register(pipe, select.POLLIN)
        if not poll.poll(PATIENCE):
            try:
                first = os.read(pipe, 1)
            except BlockingIOError:  # there is a writer, who takes longer
                pass
            else:
                if not first:
                    raise OSError(errno.ENXIO, "a pipe that nobody writes to")
    os.set_blocking(pipe, True)
    return first
