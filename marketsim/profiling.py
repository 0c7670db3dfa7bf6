"""Where the time of a run goes: one clock, its stages and its counters."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

STAGES = ("load", "forecast", "cache", "optimise", "simulate", "report")

_IMPORTED = time.perf_counter()


class Clock:
    """Seconds and calls by stage, and named counts, of one run in one thread."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}  # exclusive: a nested stage's time is not in the outer one
        self.calls: dict[str, int] = {}
        self.counts: dict[str, int] = {}
        self._running: list[str] = []
        self._since = 0.0

    def _charge(self) -> None:
        now = time.perf_counter()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Charge the time inside to `name`; the stage around it, if any, stands still meanwhile."""
        self._charge()
        self.seconds.setdefault(name, 0.0)
        self.calls[name] = self.calls.get(name, 0) + 1
        self._running.append(name)
        try:
            yield
        finally:
            self._charge()
            self._running.pop()

    def count(self, name: str, n: int = 1) -> None:
        """Add `n` to the counter `name`, such as "forecasts made"."""
        self.counts[name] = self.counts.get(name, 0) + n

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
