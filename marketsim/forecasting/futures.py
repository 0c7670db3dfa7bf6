"""Bars with a changed future, which must not change any forecast before it. Finer bars get the same future."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from msgspec.structs import replace

from marketsim.data.bars import Bars

VOLUME = 4  # column of ohlcv
SPLIT = 10.0  # shares for one, in `rescaled`
SPREAD = 0.3  # of the log factors, in `scrambled`


def cut(bars: Bars, origin: int) -> Bars:
    """The bars up to `origin`, itself included."""
    known = slice(origin + 1)
    return replace(bars, time=bars.time[known], ohlcv=bars.ohlcv[known], finer=_finer(bars, origin, cut))


def scrambled(bars: Bars, origin: int, seed: int) -> Bars:
    """The bars after `origin` in another order, each with its prices multiplied by a factor of its own."""
    rng = np.random.default_rng([seed, origin + 1])
    ohlcv = bars.ohlcv.copy()
    later = rng.permutation(np.arange(origin + 1, len(bars)))
    ohlcv[origin + 1 :] = bars.ohlcv[later]
    ohlcv[origin + 1 :, :VOLUME] *= np.exp(SPREAD * rng.standard_normal((len(later), 1)))
    return replace(bars, ohlcv=ohlcv, finer=_finer(bars, origin, lambda finer, last: scrambled(finer, last, seed)))


def rescaled(bars: Bars, origin: int) -> Bars:
    """The bars after `origin` as a split makes them: a tenth of the price, ten times the volume."""
    ohlcv = bars.ohlcv.copy()
    ohlcv[origin + 1 :, :VOLUME] /= SPLIT
    ohlcv[origin + 1 :, VOLUME] *= SPLIT
    return replace(bars, ohlcv=ohlcv, finer=_finer(bars, origin, rescaled))


def _finer(bars: Bars, origin: int, change: Callable[[Bars, int], Bars]) -> tuple[Bars, ...]:
    """The finer bars with another future, from the end of the bar `origin` on."""
    (end,) = bars.timetable.ends(bars.time[origin : origin + 1])
    return tuple(change(finer, int(np.searchsorted(finer.time, end)) - 1) for finer in bars.finer)
