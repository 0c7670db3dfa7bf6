"""Whether a walk fits into free memory: checked before it starts, because the system would kill it silently."""

from __future__ import annotations

from collections.abc import Iterator

from marketsim.errors import DataError

SIMULATION = 2_600  # bytes that a simulation takes, and
BAR = 8  # each bar of its window: scripts/bench memory
ROWS, CHARTS = 3_300, 10_500  # bytes more for its rows of the CSV files, and for its part of a report,
DRAWN = 6_000  # and where that is drawn as pictures
PART = 0.8  # of what is free, which a walk may take


def file_bytes(rows: bool, charts: bool, drawn: bool) -> int:
    """What a simulation takes beside its walk where its CSV rows, its part of charts and pictures are wanted."""
    return ROWS * rows + CHARTS * charts + DRAWN * drawn


def check_memory(symbol: str, simulations: int, window: int, files: int = 0, share: int | None = None) -> None:
    """DataError, with the number that fits, if so many simulations do not fit into free memory.

    `files` are the bytes of `file_bytes`; `share` is what this worker may take of the memory that several use.
    """
    size = SIMULATION + BAR * window + files
    needed = simulations * size
    free = min((limit for limit in (free_bytes(), share) if limit is not None), default=None)
    if free is None or needed <= PART * free:
        return
    fitting = int(PART * free) // size
    without = " or leave out --report, --plots and --output" if simulations * (size - files) <= PART * free else ""
    raise DataError(
        f"{symbol}: {simulations:,} simulations on a window of {window} need about {needed / 2**30:.1f} GiB of memory, "
        f"and {free / 2**30:.1f} GiB are free{'' if share is None else ' for each worker'}: "
        f"lower --sims to {fitting}{without}{'' if share is None else ' or use fewer --workers'}"
    )


def shares(workers: int) -> int | None:
    """What each of some workers may take of the memory that they share, before they start; None if unknown."""
    free = min(_shared_limits(), default=None)
    return None if free is None else free // workers


def free_bytes() -> int | None:
    """The memory that this process may still take; None if unknown."""
    return min((*_shared_limits(), *_own_limits()), default=None)


def _shared_limits() -> Iterator[int]:
    """What each of the machine and its container leaves free."""
    if (available := _number("/proc/meminfo", "MemAvailable:")) is not None:
        yield available << 10
    most, used = (_number(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if most is not None and used is not None:
        yield max(0, most - used)


def _own_limits() -> Iterator[int]:
    """What the limit of the process itself leaves free."""
    try:
        import resource  # not on every system
    except ImportError:
        return
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit != resource.RLIM_INFINITY and (mapped := _number("/proc/self/status", "VmSize:")) is not None:
        yield max(0, limit - (mapped << 10))


def _number(path: str, label: str = "") -> int | None:
    """The first number after a label in a system file; None if there is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            words = next(line for line in file if line.startswith(label)).removeprefix(label).split()
        return int(words[0])
    except (OSError, StopIteration, IndexError, ValueError):
        return None
