"""One fitting problem as a search sees it: bounded, counted, clocked and remembered.

The count, the clock, the bounds and the best so far are kept here and not by a search, so that no optimizer can
be better than it is.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers.exact.candidates import Bounds

STAKE = 1.0  # what a candidate without a price is taken to lose until a worse one was seen
UNLIMITED = 10**6  # evaluations, where only the clock ends a search
TOGETHER = 256  # candidates priced at once, which bounds memory and what a clock can overrun


class Limits(Struct, frozen=True):
    """What ends a search; without any, each optimizer has its own number of evaluations."""

    evaluations: int | None = None
    seconds: float | None = None
    tolerance: float = 1e-5  # profits, in fractions of a stake, whose difference is not worth a search


class Spent(BaseException):
    """The limits are reached: `budget` or `timeout`. Not an Exception, which optimizers swallow."""


class Step(Struct, frozen=True):
    """A new best."""

    evaluations: int  # up to and including it
    seconds: float
    high_multiplier: float
    low_multiplier: float
    profit: float


class Objective:
    """Losses of candidates `x = (h, l)` of one problem: profits with the sign changed, since searches minimize.

    A candidate outside the bounds is moved to the nearest one inside, and one below the floor up to it. A candidate
    whose price is not finite or cannot be had loses as much as the worst seen, and is never the best.
    """

    def __init__(
        self, terms: ProfitTerms, bounds: Bounds, limits: Limits | None = None, floor: Floor | None = None
    ) -> None:
        self.terms = terms  # [1, W]
        self.bounds = bounds
        self.floor = floor  # [1]
        self.limits = limits or Limits()
        self.evaluations = 0
        self.unpriced = 0  # evaluations among them that gave no finite profit
        self.inside = 0.0  # seconds spent on prices
        self.history: list[Step] = []
        self._low, self._high = np.array(bounds, float).T
        self._worst = STAKE
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the objective was made."""
        return time.perf_counter() - self._started

    @property
    def best(self) -> Step | None:
        """The best so far; the first one among equals."""
        return self.history[-1] if self.history else None

    def at_most(self, own: int) -> int:
        """The evaluations that a search may plan for; `own` where nothing limits it."""
        if self.limits.evaluations is not None:
            return self.limits.evaluations
        return own if self.limits.seconds is None else UNLIMITED

    def __call__(self, x: Sequence[float] | NDArray[np.float64]) -> float:
        """The loss of one candidate `[2]`; Spent when the limits are reached before it."""
        return float(self.losses(np.asarray(x))[0])

    def losses(self, x: ArrayLike) -> NDArray[np.float64]:
        """The losses `[P]` of candidates `[P, 2]`, priced together; Spent when the limits do not allow all of them.

        What the limits do allow is evaluated first.
        """
        entered = time.perf_counter()
        points = np.asarray(x, float).reshape(-1, 2)
        left = UNLIMITED if self.limits.evaluations is None else self.limits.evaluations - self.evaluations
        found = []
        try:
            for first in range(0, min(len(points), left), TOGETHER):
                if self.limits.seconds is not None and self.seconds >= self.limits.seconds:
                    raise Spent("timeout")
                found.append(self._priced(points[first : min(first + TOGETHER, left)]))
            if len(points) > left:
                raise Spent("budget")
        finally:
            self.inside += time.perf_counter() - entered
        return np.concatenate(found) if len(found) > 1 else found[0]

    def allowed(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """The candidates `[P, 2]` that take the place of those outside the bounds or below the floor."""
        points = np.minimum(np.maximum(points, self._low), self._high)
        if self.floor is None:
            return points
        h, l = self.floor.nearest(points[None, :, 0], points[None, :, 1], self.bounds)
        return np.column_stack([h[0], l[0]])

    def _priced(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        points = self.allowed(points)
        try:
            losses = -evaluate(self.terms, points[None, :, 0], points[None, :, 1])[0]
        except Exception:
            losses = np.full(len(points), np.nan)
        good = np.isfinite(losses)
        if not good.all():
            self.unpriced += int(np.count_nonzero(~good))
            losses = np.where(good, losses, np.inf)
        running = np.minimum.accumulate(np.append(-self.history[-1].profit if self.history else np.inf, losses))
        if running[-1] < running[0]:
            for i in np.flatnonzero(running[1:] < running[:-1]).tolist():
                step = (self.evaluations + i + 1, self.seconds, *points[i].tolist(), -float(losses[i]))
                self.history.append(Step(*step))
        self.evaluations += len(points)
        self._worst = max((self._worst, *losses[good].tolist()))
        bounded: NDArray[np.float64] = np.minimum(losses, self._worst)
        return bounded
