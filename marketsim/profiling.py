"""Time and memory of a run: a clock with stages, their parts, and counters.

A stage is named by a path, such as `cache/read`: what is charged to it is charged to `cache` too.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from functools import cache

STAGES = ("load", "forecast", "cache", "optimize", "simulate", "report")

FRESH = 1e-3  # seconds for which a reading of the peak is good enough

_IMPORTED = time.perf_counter()
_observer: ContextVar[Clock | None] = ContextVar("observer", default=None)


class Clock:
    """Seconds and calls by stage, and named counts, of one run in one thread."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}  # exclusive, but for a stage's own parts
        self.calls: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self._running: list[tuple[str, ...]] = []  # of each stage that was entered: its path, the shortest first
        self._since = 0.0

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._running:
            for name in self._running[-1]:
                self.seconds[name] += now - self._since
        self._since = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge the time inside to `name`; the stage around it, if it is another one, stands still meanwhile."""
        self._charge()
        path = prefixes(name)
        inside = self._running[-1] if self._running else ()
        for stage in path:
            self.seconds.setdefault(stage, 0.0)
            self.calls[stage] = self.calls.get(stage, 0) + (stage not in inside)
        self._running.append(path)
        try:
            yield
        finally:
            self._charge()
            self._running.pop()

    def part(self, name: str, n: int = 0) -> AbstractContextManager[None]:
        """The stage `name` of the running stage; `n` things that are done in it are counted under its path."""
        path = f"{self._running[-1][-1]}/{name}" if self._running else name
        if n:
            self.count(path, n)
        return self.stage(path)

    def count(self, name: str, n: int = 1) -> None:
        """Add `n` to the counter `name`, such as "forecasts made"."""
        self.counts[name] = self.counts.get(name, 0) + n

    def add(self, other: Clock) -> None:
        """Add what another clock measured, which ran elsewhere or meanwhile."""
        for name, seconds in other.seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + seconds
            self.calls[name] = self.calls.get(name, 0) + other.calls[name]
        for name, n in other.counts.items():
            self.count(name, n)

    @staticmethod
    def wall() -> float:
        """Seconds since the process started, or since this import where the system does not tell."""
        try:
            with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
                # proc_pid_stat(5): field 22 is the start in ticks since boot; field 2, in brackets, may hold blanks
                started = int(file.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
            return max(time.clock_gettime(time.CLOCK_BOOTTIME) - started, 0.0)
        except (OSError, ValueError, IndexError, AttributeError):
            return time.perf_counter() - _IMPORTED


class Recorder(Clock):
    """A clock that also keeps by how much each stage raised the process's peak memory."""

    def __init__(self) -> None:
        super().__init__()
        self.base = peak_bytes()  # before the first stage
        self.bytes: dict[str, int] = {}  # that were added to the peak, exclusive as the seconds are
        self.spans: list[tuple[str, float, float]] = []  # see Tracer
        self._peak, self._read = self.base, time.perf_counter()

    def _charge(self) -> None:
        super()._charge()
        if self._since - self._read < FRESH:
            return
        peak = peak_bytes()
        for name in self._running[-1] if self._running else ():
            self.bytes[name] = self.bytes.get(name, 0) + peak - self._peak
        self._peak, self._read = peak, time.perf_counter()


class Tracer(Recorder):
    """A recorder that also keeps the span of every stage: its name, start and length in seconds from here on."""

    def __init__(self) -> None:
        super().__init__()
        self.started = time.perf_counter()

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """As `Clock.stage`, and keep the span."""
        start = time.perf_counter()
        try:
            with super().stage(name):
                yield
        finally:
            self.spans.append((name, start - self.started, time.perf_counter() - start))


@contextmanager
def observe(clock: Clock) -> Iterator[None]:
    """Let `part` reach `clock` in this thread, and a command that keeps time take it as its own."""
    token = _observer.set(clock)
    try:
        yield
    finally:
        _observer.reset(token)


def observer() -> Clock | None:
    """The clock that observes this thread, if any."""
    return _observer.get()


def part(name: str, n: int = 0) -> AbstractContextManager[None]:
    """Charge the time inside to a part of the running stage, and count `n` things that are done in it.

    For code to which no clock is handed, such as models and optimizers; without an observer it does nothing.
    """
    clock = _observer.get()
    return nullcontext() if clock is None else clock.part(name, n)


def peak_bytes() -> int:
    """The largest resident size that the process had so far; 0 where the system does not tell."""
    try:
        with open("/proc/self/status", encoding="utf-8", errors="replace") as file:
            # proc_pid_status(5); getrusage(2) would tell the parent's peak where that was larger
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("VmHWM:"))
    except (OSError, StopIteration):
        pass
    try:
        import resource  # not on every system
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak << 10


@cache
def prefixes(name: str) -> tuple[str, ...]:
    """The stages that hold a stage, the outermost first, and itself: `a` and `a/b` of `a/b`."""
    parts = name.split("/")
    return tuple("/".join(parts[: i + 1]) for i in range(len(parts)))
