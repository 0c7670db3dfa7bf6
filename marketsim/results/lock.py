"""The lock on an output directory: one run at a time writes there, and a dead run holds no lock."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

LOCK_FILE = ".lock"  # stands in where a directory itself cannot be locked


def lock(directory: Path) -> Callable[[], None] | None:
    """Lock an existing directory; what unlocks it, or None where another process holds it.

    The system lets go of the lock when the process ends, however it ends. OSError where nothing can be locked.
    """
    try:
        import fcntl
    except ImportError:  # not a Unix
        return _lock_file(directory / LOCK_FILE)
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError:  # some network file systems lock files only
        os.close(descriptor)
        return _lock_file(directory / LOCK_FILE)
    return lambda: os.close(descriptor)


def _lock_file(path: Path) -> Callable[[], None] | None:
    from filelock import FileLock, Timeout

    held = FileLock(path)
    try:
        held.acquire(timeout=0)
    except Timeout:
        return None
    return held.release
