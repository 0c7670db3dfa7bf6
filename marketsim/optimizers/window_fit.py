"""Multipliers for the windows of a walk, by any optimizer, and their in-sample profits as booked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.execution.floor import Floor
from marketsim.execution.lattices import PRECISIONS
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.execution.t_statistic import t_statistic
from marketsim.execution.window_terms import WindowTerms
from marketsim.execution.windows import Windows
from marketsim.optimizers import Optimizer
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import Optimum
from marketsim.profiling import part
from marketsim.settings.choices import EXPECTED

TOGETHER = 1 << 13  # bars of the windows that are fitted at once, which bounds memory
AGREEMENT = 0.4e-4  # a bar, as a fraction of the close: what the surface may claim more or less than is booked

Parts = Sequence[tuple[WindowTerms, Floor | None]]  # problems, and their floors


@runtime_checkable
class FitsTogether(Protocol):
    """An optimizer that is quickest with everything at once."""

    def fit_together(self, parts: Parts, bounds: Bounds) -> list[Optimum]:
        """What `fit` finds for each of the parts."""
        ...


class WindowFit(Struct, frozen=True):
    """The multipliers of B windows, and what they would have earned on the bars of theirs."""

    high_multiplier: NDArray[np.float64]  # [B]
    low_multiplier: NDArray[np.float64]  # [B]
    in_sample: NDArray[np.float64]  # [B] sum of the bars' profits as they are booked, by the windows' weights
    t: NDArray[np.float64]  # [B] the t statistic of those profits
    claimed: NDArray[np.float64]  # [B] the sum on the surface that was maximized
    allowed: NDArray[np.bool_]  # [B] whether they keep the floor; where one does not, none inside the bounds does
    fallbacks: int = 0  # problems that a search gave up on and another one finished

    @classmethod
    def concatenate(cls, parts: Sequence[WindowFit]) -> WindowFit:
        """The fits of windows one after the other."""
        return cls(
            high_multiplier=np.concatenate([part.high_multiplier for part in parts]),
            low_multiplier=np.concatenate([part.low_multiplier for part in parts]),
            in_sample=np.concatenate([part.in_sample for part in parts]),
            t=np.concatenate([part.t for part in parts]),
            claimed=np.concatenate([part.claimed for part in parts]),
            allowed=np.concatenate([part.allowed for part in parts]),
            fallbacks=sum(part.fallbacks for part in parts),
        )

    def with_again(self, rows: NDArray[np.int64], again: WindowFit) -> WindowFit:
        """The fits with some of them made again."""

        def mixed(before: NDArray[Any], after: NDArray[Any]) -> NDArray[Any]:
            values = before.copy()
            values[rows] = after
            return values

        return WindowFit(
            high_multiplier=mixed(self.high_multiplier, again.high_multiplier),
            low_multiplier=mixed(self.low_multiplier, again.low_multiplier),
            in_sample=mixed(self.in_sample, again.in_sample),
            t=mixed(self.t, again.t),
            claimed=mixed(self.claimed, again.claimed),
            allowed=mixed(self.allowed, again.allowed),
            fallbacks=self.fallbacks + again.fallbacks,
        )


def fit_several(
    several: Sequence[Windows], terms: ProfitTerms, optimizer: Optimizer, bounds: Bounds, seed: int
) -> list[WindowFit]:
    """`fit_windows` of several, such as strategies and closing policies have."""
    if isinstance(optimizer, FitsTogether):
        with part("search"):
            return _fit(several, terms, lambda parts: optimizer.fit_together(parts, bounds))
    found = []
    for windows in several:
        with part("search"):
            found.append(fit_windows(windows, terms, optimizer, bounds, seed))
    return found


def fit_windows(windows: Windows, terms: ProfitTerms, optimizer: Optimizer, bounds: Bounds, seed: int) -> WindowFit:
    """Fit every window; `terms` `[N]` are those of all bars to the first precision, which strategies may share.

    Take-profits in doubt make `expected` profits a surface that is known to a precision. A window whose optimum it
    prices otherwise than it is booked is fitted again to the next one. What a window gets depends on its own bars
    alone.
    """

    def fit(parts: Parts) -> list[Optimum]:
        return [optimizer.fit(terms, bounds, seed, floor) for terms, floor in parts]

    return WindowFit.concatenate([_fit([some], terms, fit)[0] for some in few_at_a_time(windows)])


def few_at_a_time(windows: Windows) -> list[Windows]:
    """The windows in parts that bound memory."""
    size = max(1, TOGETHER // windows.rows.shape[1])
    if size >= len(windows):
        return [windows]
    return [windows.at(slice(first, first + size)) for first in range(0, len(windows), size)]


def _fit(several: Sequence[Windows], terms: ProfitTerms, fit: Callable[[Parts], list[Optimum]]) -> list[WindowFit]:
    """The fits of several sets of windows, each time all of them at once."""
    found = fit([(windows.fitted_to(terms), windows.floor) for windows in several])
    fits = [_booked(windows, optimum) for windows, optimum in zip(several, found, strict=True)]
    for precision in PRECISIONS[1:]:
        apart = [_apart(windows, fitted) for windows, fitted in zip(several, fits, strict=True)]
        some = [windows.at(rows) for windows, rows in zip(several, apart, strict=True) if rows.size]
        if not some:
            break
        again = iter(zip(some, fit([(windows.terms(precision), windows.floor) for windows in some]), strict=True))
        fits = [
            fitted.with_again(rows, _booked(*next(again))) if rows.size else fitted
            for fitted, rows in zip(fits, apart, strict=True)
        ]
    return fits


def _booked(windows: Windows, found: Optimum) -> WindowFit:
    """The fit that an optimum is."""
    h, l = found.high_multiplier, found.low_multiplier
    in_sample, t = np.empty(len(h)), np.empty(len(h))
    first = 0
    for some in few_at_a_time(windows):
        rows = slice(first, first + len(some))
        profits = some.booked(h[rows], l[rows])
        in_sample[rows], t[rows] = some.summed(profits), t_statistic(profits, some.weights)
        first += len(some)
    allowed = np.ones(len(h), bool) if windows.floor is None else windows.floor.allows(h, l)
    return WindowFit(h, l, in_sample, t, found.profit, allowed, found.fallbacks)


def _apart(windows: Windows, fitted: WindowFit) -> NDArray[np.int64]:
    """Which windows claim another profit than is booked, and may be fitted better."""
    if windows.close_at_eod or windows.fill != EXPECTED:
        return np.empty(0, np.int64)
    return np.flatnonzero(np.abs(fitted.claimed - fitted.in_sample) > AGREEMENT * windows.rows.shape[1])
