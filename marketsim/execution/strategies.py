"""From forecasts to legs: on which bars a strategy offers a long, a short, both, or nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.settings.choices import ALWAYS_ON, ENTRY_EXIT


class Legs(Struct, frozen=True):
    """The orders that a strategy places on each bar; a long enters at the lower level, a short at the upper."""

    long: NDArray[np.bool_]  # [N]
    short: NDArray[np.bool_] | None  # [N], None where the asset cannot be shorted

    def at(self, index: Any) -> Legs:
        """The legs of some bars, as an array is indexed."""
        return Legs(self.long[index], None if self.short is None else self.short[index])

    @property
    def any(self) -> NDArray[np.bool_]:
        """On which bars `[N]` there is an order."""
        return self.long if self.short is None else self.long | self.short

    def where(self, placed: NDArray[np.bool_]) -> Legs:
        """The orders of the bars that are `placed` `[N]`, and none on the others."""
        return Legs(self.long & placed, None if self.short is None else self.short & placed)


def entry_exit(high_move: NDArray[np.float64], low_move: NDArray[np.float64], shortable: bool) -> Legs:
    """One leg a bar: long where `|high_move| > |low_move|`, else short, or flat where shorts are impossible."""
    long = np.abs(high_move) > np.abs(low_move)
    return Legs(long, ~long if shortable else None)


def always_on(high_move: NDArray[np.float64], low_move: NDArray[np.float64], shortable: bool) -> Legs:
    """Both legs on every bar, or the long one alone where shorts are impossible."""
    everywhere = np.ones(len(high_move), bool)
    return Legs(everywhere, everywhere if shortable else None)


STRATEGIES: dict[str, Callable[[NDArray[np.float64], NDArray[np.float64], bool], Legs]] = {
    ENTRY_EXIT: entry_exit,
    ALWAYS_ON: always_on,
}
