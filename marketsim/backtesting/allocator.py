"""Settings of the C library's allocator: long-running processes keep freed memory and use it again."""

from __future__ import annotations

import sys
from functools import cache

TRIM, MMAP = -1, -3  # mallopt(3): M_TRIM_THRESHOLD and M_MMAP_THRESHOLD
KEPT = 128 << 20  # bytes that are kept at the end of the heap
LARGEST = 32 << 20  # bytes of a block that comes from it; glibc allows no more


@cache
def keep_memory() -> None:
    """Keep blocks that are freed, where the C library is glibc.

    Otherwise each array of a megabyte is fetched from the system, page by page, and given back: a seventh of the time
    of a run over many symbols, and more where several workers ask at once (`scripts/bench scale`).
    """
    if sys.platform != "linux":
        return
    import ctypes  # short runs need none

    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return
    mallopt(MMAP, LARGEST)
    mallopt(TRIM, KEPT)
