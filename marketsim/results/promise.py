"""The profit that a backtest promised, and whether later bars have kept the promise."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct

from marketsim.results.confidence_sequence import ALPHA, LEAST, TUNED, Floats, log_evidence
from marketsim.results.significance import POWER, Interval, Z

PromiseVerdict: TypeAlias = Literal["as promised", "worse than promised", "too early"]
AS_PROMISED: PromiseVerdict = "as promised"
WORSE: PromiseVerdict = "worse than promised"
TOO_EARLY: PromiseVerdict = "too early"

EVERY = 20  # bars after which the test for a fall starts again, as if the record began there
VAGUE = 1.5  # widths of the promised interval: the smallest fall that so vague a promise can show
MOST_BARS = 100_000


class PromisedMean(Struct, frozen=True):
    """The mean profit a bar of a walk with its 95 % interval, all in one unit."""

    mean: float
    low: float  # ends of its 95 % interval
    high: float
    bars: int

    @property
    def error(self) -> float:
        """The standard error of the mean."""
        return (self.high - self.low) / (2 * Z)

    @property
    def spread(self) -> float:
        """The standard deviation of a bar's profit."""
        return self.error * math.sqrt(self.bars)

    @property
    def fall(self) -> float:
        """The fall that a record is tested for: the whole promised mean, or the smallest that can be detected."""
        return max(self.mean, VAGUE * (self.high - self.low))

    @property
    def tuned(self) -> float:
        """The variance of the difference at which its evidence is most sensitive."""
        return self.error**2 + self.spread**2 / TUNED


class Kept(Struct, frozen=True):
    """Whether a record keeps a promise."""

    verdict: PromiseVerdict
    p: float  # upper bound of the probability that a record ever looks as bad if nothing has changed
    bars_more: int | None  # needed by a record that is too early; None if no number of bars is enough
    turned: int | None  # the bar, from 0, after which the verdict became `worse than promised`
    begun: int  # the bar from which on the record looks worst


def kept(promise: PromisedMean | None, profits: Floats) -> Kept:
    """The verdict on a record of `profits` `[N]`, oldest first, in the promise's unit.

    It is worse than promised as soon as `evidence` reaches 1 / 0.05, and stays so. It is as promised if it has as many
    bars as the promise is based on, if so many would show a fall of `promise.fall` in 4 of 5 cases, and if its mean is
    not below the promised interval. Otherwise it is too early.
    """
    if promise is None or promise.error <= 0:
        return Kept(TOO_EARLY, 1.0, None, None, 0)
    by_start = _by_start(promise, profits)
    found = np.logaddexp.reduce(by_start, axis=0) if len(by_start) else np.zeros(0)
    p = math.exp(-max(0.0, float(found.max(initial=0.0))))
    if p <= ALPHA:
        turned = int(np.argmax(found >= -math.log(ALPHA)))
        return Kept(WORSE, p, None, turned, EVERY * int(np.argmax(by_start[:, turned])))
    mean = float(profits.mean()) if len(profits) else promise.mean
    needed = bars_to_tell(promise, promise.fall)
    needed = None if needed is None else max(needed, promise.bars)
    if needed is not None and len(profits) >= needed:
        if mean >= promise.low:
            return Kept(AS_PROMISED, p, None, None, 0)
        needed = bars_to_tell(promise, promise.mean - mean, sure=0.0)
    more = None if needed is None else max(1, needed - len(profits))
    return Kept(TOO_EARLY, p, more, None, 0)


def evidence(promise: PromisedMean, profits: Floats) -> Floats:
    """The evidence `[N]`, after each bar, that the mean is now below the promised one.

    The difference from the promise has two errors: that of the walk, which does not shrink, and that of the record.
    The mean may fall on any day, so the record is also tested from every 20th bar on, each with its share of the
    error: half for the whole record, `0.5 / (j (j + 1))` for the j-th part. A weighted mean of evidence is evidence: it
    exceeds E on any evening with a probability of 1 / E or less where nothing has changed.

    Examples
    --------
    >>> promise = PromisedMean(mean=20.0, low=10.0, high=30.0, bars=250)
    >>> lost = evidence(promise, np.tile([90.0, -110.0], 100))
    >>> round(float(lost[39]), 1), round(float(lost[199]), 1)
    (2.2, 91.9)
    """
    by_start = _by_start(promise, profits)
    return np.exp(np.logaddexp.reduce(by_start, axis=0)) if len(by_start) else np.ones(len(profits))


def _by_start(promise: PromisedMean, profits: Floats) -> Floats:
    """The logs of the weighted evidence `[K, N]` of the record from each of K bars on."""
    count = np.arange(1, len(profits) + 1)
    total = np.cumsum(profits)
    squares = np.cumsum((profits - promise.mean) ** 2)
    off = total - count * promise.mean
    seen = (squares - off**2 / count) / np.maximum(count - 1, 1)
    variance = np.maximum(seen, promise.spread**2)  # a calm beginning proves nothing
    found = []
    for j, start in enumerate(range(0, len(profits), EVERY)):
        log = np.full(len(profits), math.log(_share(j)))
        told = np.arange(start + LEAST - 1, len(profits))
        bars = told + 1 - start
        before = total[start - 1] if start else 0.0
        fallen = promise.mean - (total[told] - before) / bars
        log[told] += log_evidence(fallen, promise.error**2 + variance[told] / bars, promise.tuned)
        found.append(log)
    rest = 1.0 - sum(map(_share, range(len(found))))
    if found and rest > 1e-12:
        found.append(np.full(len(profits), math.log(rest)))
    return np.array(found)


def _share(j: int) -> float:
    return 0.5 if j == 0 else 0.5 / (j * (j + 1))


def difference(promise: PromisedMean, profits: Floats) -> Interval | None:
    """The 95 % interval of realized less promised profit, which holds after every bar at once.

    The whole record's half of the error is at either end: if the upper one is below zero, the verdict is
    `worse than promised`. None for fewer than `LEAST` bars.
    """
    if len(profits) < LEAST or promise.error <= 0:
        return None
    variance = promise.error**2 + max(float(profits.var(ddof=1)), promise.spread**2) / len(profits)
    half = _reach(variance, promise.tuned, _share(0))
    middle = float(profits.mean()) - promise.mean
    return Interval(middle - half, middle + half)


def bars_to_tell(promise: PromisedMean, fall: float, sure: float = POWER, start: int = 0) -> int | None:
    """Bars after which a `fall` of the mean is detected in 4 of 5 cases, or, if `sure` is 0, in half of them.

    The fall comes after `start` bars of the record. None if no number of bars is enough, because the walk's error is
    too large.
    """
    if fall <= 0 or promise.error <= 0:
        return None
    waited = -(-start // EVERY) * EVERY - start  # until a part of the record begins

    def tells(bars: int) -> bool:
        variance = promise.error**2 + promise.spread**2 / bars
        return fall - sure * math.sqrt(variance) >= _reach(variance, promise.tuned, _share(-(-start // EVERY)))

    if not tells(MOST_BARS):
        return None
    few, many = LEAST - 1, MOST_BARS
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if tells(middle) else (middle, many)
    return many + waited


def _reach(variance: float, tuned: float, share: float) -> float:
    """How far below zero a difference of that `variance` must lie for evidence of 1 / 0.05 from a `share` of it."""
    wanted, low, high = -math.log(ALPHA * share), 0.0, 100 * math.sqrt(variance)
    while high - low > 1e-9 * high:
        middle = (low + high) / 2
        told = float(log_evidence(np.array([middle]), np.array([variance]), tuned)[0]) >= wanted
        low, high = (low, middle) if told else (middle, high)
    return high
