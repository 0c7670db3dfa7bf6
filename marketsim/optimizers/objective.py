"""One fitting problem for a search: bounded, counted and timed, with the best candidate kept.

The count, the clock, the bounds and the best so far are kept here and not by a search, so that no optimizer can
be better than it is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import ArrayLike, NDArray

from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.compiled import CompiledTerms
from marketsim.profiling import part

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
        self._compiled = CompiledTerms.of(terms)
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
        if self._compiled is None or self.floor is not None:
            return float(self.losses(np.asarray(x))[0])
        entered = time.perf_counter()
        if self.limits.evaluations is not None and self.evaluations >= self.limits.evaluations:
            raise Spent("budget")
        if self.limits.seconds is not None and entered - self._started >= self.limits.seconds:
            raise Spent("timeout")
        h, l = (min(max(float(at), low), high) for at, (low, high) in zip(x, self.bounds, strict=True))
        with part("evaluate", 1):
            loss = self._noted(h, l, -self._compiled.profit(h, l))
        self.inside += time.perf_counter() - entered
        return min(loss, self._worst)

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
            losses = -self._profits(points[None, :, 0], points[None, :, 1])[0]
        except Exception:
            losses = np.full(len(points), np.nan)
        noted = [self._noted(h, l, loss) for (h, l), loss in zip(points.tolist(), losses.tolist(), strict=True)]
        bounded: NDArray[np.float64] = np.minimum(noted, self._worst)
        return bounded

    def _profits(self, h: NDArray[np.float64], l: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._compiled is None:
            return np.asarray(evaluate(self.terms, h, l))
        with part("evaluate", h.shape[1]):
            return self._compiled.profits(h, l)

    def _noted(self, h: float, l: float, loss: float) -> float:
        """The loss, infinite where there is no price or no number to price, once it is counted and remembered."""
        self.evaluations += 1
        if not math.isfinite(loss + h + l):
            self.unpriced += 1
            return math.inf
        self._worst = max(self._worst, loss)
        if not self.history or -loss > self.history[-1].profit:
            self.history.append(Step(self.evaluations, self.seconds, h, l, -loss))
        return loss
