"""Files that are written completely or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """A file beside `path`, to be written; it takes the place of `path` if that raises no error.

    Parameters
    ----------
    path
        The file to make or to replace; its folder exists when the file is written.

    Yields
    ------
    Path
        The file to write. Nothing is left of it after an error.

    Raises
    ------
    OSError
        The disk does not take the file; what stood at `path` before still does.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp(), "numbers.txt")
    >>> with whole_file(path) as new:
    ...     _ = new.write_text("1 2 3")
    >>> path.read_text()
    '1 2 3'
    """
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        yield new
        new.replace(path)
    finally:
        with suppress(OSError):
            new.unlink(missing_ok=True)
