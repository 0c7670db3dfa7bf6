"""Comparison of optimizers on the same problems, under the same limits, by the same clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from marketsim import registry
from marketsim.comparison.problems import FitProblems
from marketsim.comparison.schema import Status
from marketsim.errors import MissingExtra
from marketsim.optimizers import Optimizer
from marketsim.optimizers.objective import Limits, Objective, Spent, Step

WARM_UP = Limits(evaluations=20, seconds=0.3)  # a first call pays for what later ones find ready
LEAST_RUNS = 4  # that the time of one optimizer is to suffice for
WORST_FIRST: tuple[Status, ...] = ("failed", "timeout", "budget", "done")


class Trial(Struct, frozen=True):
    """One run of one optimizer on one problem."""

    window: int
    policy: int  # index in the problems' policies
    seed: int
    status: Status
    message: str  # why it failed
    evaluations: int
    seconds: float  # of which
    inside: float  # in the objective
    history: tuple[Step, ...]  # every new best; the last one is the answer


class OptimizerTrials(Struct, frozen=True):
    """One optimizer: its trials, or why it has none."""

    name: str
    status: Status  # the worst of its trials'
    message: str = ""  # why it failed
    trials: tuple[Trial, ...] = ()

    @classmethod
    def of(cls, name: str, trials: Sequence[Trial]) -> OptimizerTrials:
        """The trials, and what is to be said of all of them."""
        words = {trial.status for trial in trials}
        status = next(word for word in WORST_FIRST if word in words)
        failed = [trial.message for trial in trials if trial.status == "failed"]
        message = f"{len(failed)} of {len(trials)} trials failed: {failed[0]}" if failed else ""
        return cls(name, status, message, tuple(trials))


def compare(
    names: Sequence[str],
    problems: FitProblems,
    limits: Limits,
    seeds: Sequence[int],
    patience: float,
    progress: Callable[[str, int, int], None] = lambda what, done, total: None,
) -> list[OptimizerTrials]:
    """Run every optimizer on the problems; one that is missing or fails is a row with the reason.

    All of them together are given `patience` seconds, in equal shares of what is left. Where a share does not
    suffice for every window, an even sample of the windows is run, with the first seed before the others.
    """
    found, left = [], patience
    for i, name in enumerate(names):
        try:
            optimizer: Optimizer = registry.load(registry.OPTIMIZERS, "optimizer", name)()
        except MissingExtra as error:
            found.append(OptimizerTrials(name, "not installed", str(error)))
            continue
        except Exception as error:
            found.append(OptimizerTrials(name, "failed", f"{type(error).__name__}: {error}"))
            continue
        start = time.perf_counter()
        run_trial(optimizer, problems, 0, 0, WARM_UP, seeds[0])
        share = left / (len(names) - i)
        own = seeds if optimizer.stochastic or problems.windows == 1 else seeds[:1]  # one is timed more than once
        trials = _trials(optimizer, problems, limits, own, start, share, lambda *at, name=name: progress(name, *at))
        found.append(OptimizerTrials.of(name, trials))
        left -= time.perf_counter() - start
    return found


def _trials(
    optimizer: Optimizer,
    problems: FitProblems,
    limits: Limits,
    seeds: Sequence[int],
    start: float,
    share: float,
    progress: Callable[[int, int], None],
) -> list[Trial]:
    """The trials that fit into `share` seconds from `start`; those of one window at least."""
    patient = min(limits.seconds or np.inf, share / LEAST_RUNS)
    limits = replace(limits, seconds=patient)
    turns = [(seed, window) for seed in seeds for window in spread_order(problems.windows)]
    trials: list[Trial] = []
    for turn, (seed, window) in enumerate(turns):
        progress(turn, len(turns))
        used = time.perf_counter() - start
        if turn and used * (turn + 1) / turn > share:
            break
        policies = range(len(problems.policies))
        trials += [run_trial(optimizer, problems, window, policy, limits, seed) for policy in policies]
    return trials


def run_trial(
    optimizer: Optimizer, problems: FitProblems, window: int, policy: int, limits: Limits, seed: int
) -> Trial:
    """One optimizer on one problem, including its errors."""
    objective = Objective(problems.problem(window, policy), problems.bounds, limits)
    status: Status = "done"
    message = ""
    try:
        optimizer.search(objective, seed)
    except Spent as spent:
        status = "timeout" if str(spent) == "timeout" else "budget"
    except Exception as error:
        status, message = "failed", f"{type(error).__name__}: {error}"
    seconds = objective.seconds
    if objective.best is None and status == "done":
        status, message = "failed", "it ended without a finite profit"
    history = tuple(objective.history)
    return Trial(window, policy, seed, status, message, objective.evaluations, seconds, objective.inside, history)


def spread_order(count: int) -> list[int]:
    """0 to `count - 1` in an order of which every beginning is spread over the whole (van der Corput 1935)."""
    bits = max(1, (count - 1).bit_length())
    return sorted(range(count), key=lambda i: f"{i:0{bits}b}"[::-1])
