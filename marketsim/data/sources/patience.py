"""Repeated requests to a busy provider, with growing pauses."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from msgspec import Struct

from marketsim.errors import MarketsimError

Answer = TypeVar("Answer")


class Busy(Exception):
    """A provider that cannot answer now: it is overloaded, or the connection broke."""

    def __init__(self, why: str, wait: float = 0.0) -> None:
        super().__init__(why)
        self.wait = wait  # seconds that it asked for

    @classmethod
    def of_status(cls, status: int, retry_after: str | None) -> Busy | None:
        """What an HTTP status says of a provider that may answer later: too many requests, or a fault of its own."""
        if status != 429 and status < 500:
            return None
        return cls(f"HTTP {status}", float(retry_after) if retry_after and retry_after.isdigit() else 0.0)


class Patience(Struct, frozen=True):
    """The tries that a request has, and the seconds between them."""

    tries: int = 6
    pause: float = 1.0  # seconds before the second try, then twice as many each time
    longest: float = 60.0  # seconds of a pause, unless the provider asks for more
    limit: float = 600.0  # seconds; a provider that asks for more is given up
    sleep: Callable[[float], None] = time.sleep
    say: Callable[[str], None] = lambda words: None  # hears why there is a pause

    def ask(self, who: str, request: Callable[[], Answer]) -> Answer:
        """What `request` returns, called again while it raises `Busy`; MarketsimError when its tries are over."""
        for attempt in range(self.tries):
            try:
                return request()
            except Busy as busy:
                pause = max(busy.wait, min(self.pause * 2**attempt, self.longest))
                if attempt == self.tries - 1 or pause > self.limit:
                    raise MarketsimError(
                        f"{who} did not answer in {attempt + 1} tries ({busy}); received bars are kept: try again later"
                    ) from busy
                self.say(f"{who}: {busy}; next try in {pause:.0f} s")
                self.sleep(pause)
        raise AssertionError("unreachable")
