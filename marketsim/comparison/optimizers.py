"""The arena: optimisers on the same problems, under the same limits, by one clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim import registry
from marketsim.errors import MissingExtra
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers import Optimizer
from marketsim.optimizers.exact.maximum import FINE, Bounds, maximise
from marketsim.optimizers.objective import Limits, Objective, Spent, Step

WARM_UP = Limits(evaluations=20, seconds=0.3)  # a first call pays for what later ones find ready
LEAST_RUNS = 4  # that the time of one optimiser is to suffice for

Profits = Callable[[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]], Any]


@dataclass(frozen=True, slots=True)
class Contest:
    """The problems: V windows under each of the closing policies."""

    facts: dict[str, Any]  # what they are, for the reader; JSON values
    terms: tuple[ProfitTerms, ...]  # [V, W] for each policy
    policies: tuple[bool, ...]  # close_at_eod
    bounds: Bounds
    booked: Profits | None = (
        None  # profits [K] on evaluated bars, of windows, h, l and policies [K]; None: no such bars
    )

    @property
    def windows(self) -> int:
        """V."""
        return len(self.terms[0])

    @property
    def bars(self) -> int:
        """W, the bars of a window."""
        return int(self.terms[0].legs[0].low.shape[1])

    def problem(self, window: int, policy: int) -> ProfitTerms:
        """One of the problems, `[1, W]`."""
        return self.terms[policy].at(np.array([window]))


@dataclass(frozen=True, slots=True)
class Trial:
    """One run of one optimiser on one problem."""

    window: int
    policy: int  # index in the contest's policies
    seed: int
    status: str  # done, budget, timeout or failed
    message: str  # why it failed
    evaluations: int
    seconds: float  # of which
    inside: float  # in the objective
    history: tuple[Step, ...]  # every new best; the last one is the answer


@dataclass(frozen=True, slots=True)
class Entry:
    """One optimiser in the arena: its trials, or why it has none."""

    name: str
    status: str  # the worst of its trials, or: failed, not installed
    message: str = ""  # why
    trials: tuple[Trial, ...] = ()

    @classmethod
    def of(cls, name: str, trials: Sequence[Trial]) -> Entry:
        """The entry that these trials make."""
        words = {trial.status for trial in trials}
        status = next(word for word in ("failed", "timeout", "budget", "done") if word in words)
        failed = [trial.message for trial in trials if trial.status == "failed"]
        message = f"{len(failed)} of {len(trials)} runs failed: {failed[0]}" if failed else ""
        return cls(name, status, message, tuple(trials))


@dataclass(frozen=True, slots=True)
class Proof:
    """The greatest profit of every problem, to 1e-12 a bar."""

    high_multiplier: NDArray[np.float64]  # [policies, V]
    low_multiplier: NDArray[np.float64]  # [policies, V]
    profit: NDArray[np.float64]  # [policies, V]
    seconds: float  # for all of them in one call a policy


def prove(contest: Contest) -> Proof:
    """Solve every problem."""
    start = time.perf_counter()
    found = [maximise(terms, contest.bounds, FINE) for terms in contest.terms]
    seconds = time.perf_counter() - start
    h, l, profit = (
        np.stack([getattr(each, name) for each in found]) for name in ("high_multiplier", "low_multiplier", "profit")
    )
    return Proof(h, l, profit, seconds)


def compete(
    names: Sequence[str],
    contest: Contest,
    limits: Limits,
    seeds: Sequence[int],
    patience: float,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> list[Entry]:
    """Run every optimiser on the problems; what is not installed or fails is an entry, and the others go on.

    All of them together are given `patience` seconds, in equal shares of what is left. Where a share does not
    suffice for every window, an even sample of the windows is run, with the first seed before the others.
    """
    entries, left = [], patience
    for i, name in enumerate(names):
        try:
            optimizer: Optimizer = registry.load(registry.OPTIMIZERS, "optimizer", name)()
        except MissingExtra as error:
            entries.append(Entry(name, "not installed", str(error)))
            continue
        except Exception as error:
            entries.append(Entry(name, "failed", f"{type(error).__name__}: {error}"))
            continue
        start = time.perf_counter()
        with suppress(Exception, Spent):
            optimizer.search(Objective(contest.problem(0, 0), contest.bounds, WARM_UP), seeds[0])
        share = left / (len(names) - i)
        own = seeds if optimizer.stochastic or contest.windows == 1 else seeds[:1]  # one window is timed more than once
        trials = _race(optimizer, contest, limits, own, start, share, lambda *at, name=name: progress(name, *at))
        entries.append(Entry.of(name, trials))
        left -= time.perf_counter() - start
    return entries


def _race(
    optimizer: Optimizer,
    contest: Contest,
    limits: Limits,
    seeds: Sequence[int],
    start: float,
    share: float,
    progress: Callable[[int, int], None],
) -> list[Trial]:
    """The trials that fit into `share` seconds from `start`; those of one window at least."""
    patient = min(limits.seconds or np.inf, share / LEAST_RUNS)
    limits = replace(limits, seconds=patient)
    turns = [(seed, window) for seed in seeds for window in evenly(contest.windows)]
    trials: list[Trial] = []
    for turn, (seed, window) in enumerate(turns):
        progress(turn, len(turns))
        used = time.perf_counter() - start
        if turn and used * (turn + 1) / turn > share:
            break
        trials += [run(optimizer, contest, window, policy, limits, seed) for policy in range(len(contest.policies))]
    return trials


def run(optimizer: Optimizer, contest: Contest, window: int, policy: int, limits: Limits, seed: int) -> Trial:
    """One optimiser on one problem, whatever it does."""
    objective = Objective(contest.problem(window, policy), contest.bounds, limits)
    status, message = "done", ""
    try:
        optimizer.search(objective, seed)
    except Spent as spent:
        status = str(spent)
    except Exception as error:
        status, message = "failed", f"{type(error).__name__}: {error}"
    seconds = objective.seconds
    if objective.best is None and status == "done":
        status, message = "failed", "it ended without a finite profit"
    history = tuple(objective.history)
    return Trial(window, policy, seed, status, message, objective.evaluations, seconds, objective.inside, history)


def evenly(count: int) -> list[int]:
    """0 to `count - 1` in an order of which every beginning is spread over the whole (van der Corput 1935)."""
    bits = max(1, (count - 1).bit_length())
    return sorted(range(count), key=lambda i: f"{i:0{bits}b}"[::-1])
