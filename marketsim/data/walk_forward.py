"""The walk-forward: the origins to forecast, and each simulation's window and evaluated bar."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.errors import DataError

JUDGED = 250  # origins that a model may be chosen on, where there are as many
WINDOWS = (250, 120, 60)  # that --window auto takes the first of that there is room for


class Walk(Struct, frozen=True):
    """S simulations over T bars, each fitted on the W bars just before the one bar that it evaluates.

    An origin `t` forecasts bar `t + 1`; positions below index `origins`, oldest first. The last origin is
    the newest bar, whose next bar is not known yet: it carries the next-bar plan.

    A walk may be the newest part of a longer one. What is decided once for a whole run rests on `judged`, which
    is the same for both.
    """

    origins: NDArray[np.int64]  # [N] bar index, increasing, N = S + W + 1
    windows: NDArray[np.int64]  # [S + 1, W] positions that a fit may use; the last row is the plan's
    evaluated: NDArray[np.int64]  # [S] position that simulation s evaluates, newest first
    judged: NDArray[
        np.int64
    ]  # [J] origins, increasing, of bars before the longer walk's first: they may choose a model


def longest_window(room: int) -> int:
    """The longest of WINDOWS that `room` bars before the first evaluated one allow, or the shortest.

    How many bars there are decides, never what they did.
    """
    return next((window for window in WINDOWS if window <= room), WINDOWS[-1])


def make_walk(bars: int, simulations: int, window: int, minimum_bars: int, symbol: str, whole: int = 0) -> Walk:
    """The walk over `bars` bars; row s of `windows` belongs to simulation s.

    `minimum_bars` is what the model needs up to and including its first origin. DataError when the bars
    do not suffice; it says how many do, and which flag lowers that. `whole` is how many simulations the longer walk
    has, where this one is a part of it; it is as long as the bars allow where they do not allow so many.
    """
    count = simulations + window + 1
    needed = count + minimum_bars - 1
    if bars < needed:
        spare = bars - minimum_bars  # what simulations and window may be together
        flags = [
            f"{flag} to {spare - other}"
            for flag, other in (("--sims", window), ("--window", simulations))
            if spare > other
        ]
        way = (
            f"lower {' or '.join(flags)}" if flags else "lower --sims and --window" if spare > 1 else "too few for any"
        )
        raise DataError(
            f"{symbol}: {bars} bars, but {simulations} simulations on a window of {window} with this model "
            f"need {needed}: {way}"
        )
    evaluated = count - 2 - np.arange(simulations)
    ends = np.append(evaluated, count - 1)
    longest = min(max(whole, simulations), bars - minimum_bars - window)
    judged = np.arange(max(minimum_bars - 1, bars - longest - 1 - JUDGED), bars - longest - 1)
    return Walk(
        origins=np.arange(bars - count, bars),
        windows=ends[:, None] - window + np.arange(window),
        evaluated=evaluated,
        judged=judged,
    )
