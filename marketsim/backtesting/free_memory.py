"""Whether a walk fits into free memory: checked before it starts, because the system would kill it silently."""

from __future__ import annotations

from collections.abc import Iterator

from marketsim.errors import DataError

SIMULATION = 2_600  # bytes that a simulation takes, and
BAR = 8  # each bar of its window: scripts/bench memory
PART = 0.8  # of what is free, which a walk may take


def check_memory(symbol: str, simulations: int, window: int) -> None:
    """DataError, with the number that fits, if so many simulations do not fit into free memory."""
    size = SIMULATION + BAR * window
    needed = simulations * size
    if (free := free_bytes()) is None or needed <= PART * free:
        return
    fitting = int(PART * free) // size
    raise DataError(
        f"{symbol}: {simulations:,} simulations on a window of {window} need about {needed / 2**30:.1f} GiB of memory, "
        f"and {free / 2**30:.1f} GiB are free: lower --sims to {fitting}"
    )


def free_bytes() -> int | None:
    """The memory that this process may still take; None if unknown."""
    return min(_limits(), default=None)


def _limits() -> Iterator[int]:
    """What each of the machine, its container and the process itself leaves free."""
    if (available := _number("/proc/meminfo", "MemAvailable:")) is not None:
        yield available << 10
    most, used = (_number(f"/sys/fs/cgroup/memory.{name}") for name in ("max", "current"))
    if most is not None and used is not None:
        yield max(0, most - used)
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
