"""Progress on stderr: a line that is redrawn on a terminal, an occasional line in a log."""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from msgspec import Struct

Progress = Callable[[str, int, int], None]  # what is being done, how much of it is done, how much there is

PATIENCE, AGAIN = 1.0, 0.2  # seconds until the line is drawn on a terminal, and until it is drawn anew
LOG_PATIENCE = LOG_AGAIN = 30.0  # the same in a log
ERASE = "\r\x1b[K"


class _State(Struct, frozen=True):
    """One thing that is being done."""

    name: str = ""
    count: str = ""
    rate: str = ""

    @property
    def full(self) -> str:
        return _line(self.name, self.count, self.rate)

    @property
    def short(self) -> str:
        return _line(self.name, self.count)

    def cut(self, width: int) -> str:
        """The count behind as much of the name as fits; nothing where not even the count does."""
        room = width - len(self.count) - 1
        return f"{self.name[:room]} {self.count}".rstrip() if room > 0 else ""


class Work:
    """The work in progress, in words.

    The first thing that there are several of leads, with the time that is left; what else is being done follows it.
    What is heard of more than once is given a rate.
    """

    def __init__(self, clean: Callable[[str], str]) -> None:
        """`clean` makes outside text printable."""
        self._clean = clean
        self._started = time.monotonic()
        self._first: dict[str, tuple[float, int]] = {}  # when each thing was heard of first, and how much was done
        self._lead = ""
        self._leading = self._following = _State()

    def update(self, what: str, done: int, total: int) -> None:
        """See `Progress`."""
        state = self._state(what, done, total)
        if not self._lead and total > 1:
            self._lead = what
        if what == self._lead:
            self._leading, self._following = state, _State()
        else:
            self._following = state

    def __str__(self) -> str:
        return _line(self._leading.full, self._following.full, self._elapsed)

    def within(self, width: int) -> str:
        """As much of it as fits a line: rates are left out first, and a name is cut before a number."""
        leading, following = self._leading, self._following
        lines = (
            str(self),
            _line(leading.full, following.short, self._elapsed),
            _line(leading.short, following.short, self._elapsed),
            _line(leading.short, following.short),
            leading.short,
        )
        return next((line for line in lines if len(line) <= width), leading.cut(width))

    @property
    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._started:.0f} s"

    def _state(self, what: str, done: int, total: int) -> _State:
        began, before = self._first.get(what, (0.0, 0))
        if not began or done < before:
            began, before = self._first[what] = time.monotonic(), done
        count = f"({min(done + 1, total):,} of {total:,})" if total > 1 else ""
        if done == before:
            return _State(self._clean(what), count)
        rate = (done - before) / max(time.monotonic() - began, 1e-9)
        return _State(self._clean(what), count, f"{rate:.3g} a second, {(total - done) / rate:.0f} s left,")


def _line(*parts: str) -> str:
    return " ".join(filter(None, parts))


@contextmanager
def shown(clean: Callable[[str], str], width: Callable[[], int]) -> Iterator[Progress]:
    """A progress function that prints to stderr; `width` is that of a terminal's lines."""
    if not sys.stderr:
        yield lambda what, done, total: None
        return
    work, over = Work(clean), threading.Event()
    on_terminal = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    target = (lambda: _draw(work, over, width)) if on_terminal else (lambda: _log(work, over))
    painter = threading.Thread(target=target, daemon=True)
    painter.start()
    try:
        yield work.update
    finally:
        over.set()
        painter.join()


def _draw(work: Work, over: threading.Event, width: Callable[[], int]) -> None:
    wait = PATIENCE
    while not over.wait(wait):
        wait = AGAIN
        _write(f"{ERASE}{work.within(width() - 1)}")
    if wait == AGAIN:
        _write(ERASE)


def _log(work: Work, over: threading.Event) -> None:
    wait = LOG_PATIENCE
    while not over.wait(wait):
        wait = LOG_AGAIN
        _write(f"progress: {work}\n")


def _write(text: str) -> None:
    with suppress(OSError, ValueError):  # nobody listens
        sys.stderr.write(text)
        sys.stderr.flush()
