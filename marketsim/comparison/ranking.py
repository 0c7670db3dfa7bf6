"""The ranking of the optimizers: a row for each, best first, and rows of their trials for the files."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, version

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from marketsim import __version__
from marketsim.comparison.optimizers import OptimizerTrials, Trial
from marketsim.comparison.problems import FitProblems, Optima
from marketsim.comparison.schema import (
    HistoryRow,
    LimitsRow,
    OptimizerRow,
    OptimizersDocument,
    OptimumRow,
    TrialRow,
)
from marketsim.execution.profit_terms import TIE
from marketsim.optimizers.objective import Limits
from marketsim.results.rows import Setting
from marketsim.results.significance import LEAST_BARS, mean_interval
from marketsim.settings.choices import BASIS_POINTS

NEAR = 0.01  # basis points a bar: what is nearer than this to the optimum has reached it, and to another is a tie
ZERO = 1e-9  # of a profit, below which a gap is rounding
RIVAL = "differential-evolution"
LIBRARIES = ("numpy", "scipy", "torch", "nevergrad", "botorch", "evotorch", "cma", "nlopt", "optuna")

Runs = Sequence[OptimizerTrials]


def document(
    problems: FitProblems, optima: Optima, runs: Runs, limits: Limits, settings: dict[str, Setting], seed: int
) -> OptimizersDocument:
    """The whole comparison; `seed` is that of the bootstrap."""
    return OptimizersDocument(
        marketsim=__version__,
        settings=settings,
        libraries={"python": platform.python_version()} | _versions(),
        problem=problems.facts,
        limits=LimitsRow(evaluations=limits.evaluations, seconds=limits.seconds, tolerance=limits.tolerance),
        optimum=OptimumRow(profit_bps=float(problems.per_bar * optima.profit.mean()), seconds_together=optima.seconds),
        optimizers=rank(problems, optima, runs, seed),
    )


def rank(problems: FitProblems, optima: Optima, runs: Runs, seed: int) -> list[OptimizerRow]:
    """A row for each optimizer, best first: by its gap to the optimum of its own windows, then by its time.

    Those that ran on fewer than ten windows, of problems that have them, are too uncertain to have a rank and come
    after the others; those without a result come last.
    """
    pace = {run.name: _seconds_by_window(run, problems) for run in runs}
    rows = [_row(run, problems, optima, pace[run.name], pace.get(RIVAL, {}), seed) for run in runs]
    found = sorted((row for row in rows if row.gap_bps is not None), key=_gap)
    enough = [row for row in found if row.windows >= min(LEAST_BARS, problems.windows)]
    ranks: list[int] = []
    for i, row in enumerate(enough):
        first = ranks[-1] - 1 if ranks else 0
        ranks.append(first + 1 if ranks and _gap(row) <= _gap(enough[first]) + NEAR else i + 1)
    ranked = [replace(row, rank=place, tie=ranks.count(place) > 1) for row, place in zip(enough, ranks, strict=True)]
    ranked.sort(key=lambda row: (row.rank, row.seconds))
    few = [row for row in found if row.windows < min(LEAST_BARS, problems.windows)]
    return ranked + few + [row for row in rows if row.gap_bps is None]


def gap(trial: Trial, optima: Optima) -> float:
    """What the trial missed of its problem's greatest profit, a sum over the window; a rounding is 0."""
    missed = float(optima.profit[trial.policy, trial.window]) - trial.history[-1].profit
    return 0.0 if abs(missed) < ZERO else missed


def trials(problems: FitProblems, optima: Optima, runs: Runs) -> Iterator[TrialRow]:
    """A row a trial."""
    for run in runs:
        for trial in run.trials:
            best = trial.history[-1] if trial.history else None
            yield TrialRow(
                optimizer=run.name,
                window=trial.window,
                close_at_eod=problems.policies[trial.policy],
                seed=trial.seed,
                status=trial.status,
                high_multiplier=None if best is None else best.high_multiplier,
                low_multiplier=None if best is None else best.low_multiplier,
                profit=None if best is None else best.profit,
                gap=None if best is None else gap(trial, optima),
                evaluations=trial.evaluations,
                seconds=trial.seconds,
                inside=trial.inside,
            )


def history(problems: FitProblems, optima: Optima, runs: Runs) -> Iterator[HistoryRow]:
    """A row a new best of a trial."""
    for run in runs:
        for trial in run.trials:
            optimum = float(optima.profit[trial.policy, trial.window])
            for step in trial.history:
                yield HistoryRow(
                    optimizer=run.name,
                    window=trial.window,
                    close_at_eod=problems.policies[trial.policy],
                    seed=trial.seed,
                    evaluations=step.evaluations,
                    seconds=step.seconds,
                    high_multiplier=step.high_multiplier,
                    low_multiplier=step.low_multiplier,
                    profit=step.profit,
                    gap=max(optimum - step.profit, 0.0),
                )


def _gap(row: OptimizerRow) -> float:
    return np.inf if row.gap_bps is None else row.gap_bps


def _row(
    run: OptimizerTrials,
    problems: FitProblems,
    optima: Optima,
    pace: dict[int, float],
    rival: dict[int, float],
    seed: int,
) -> OptimizerRow:
    """The row of an optimizer; `pace` and that of its `rival` are seconds by window."""
    found = [trial for trial in run.trials if trial.history]
    row = OptimizerRow(
        name=run.name,
        status=run.status,
        message=run.message,
        windows=len({trial.window for trial in found}),
        trials=len(found),
    )
    if not found:
        return row
    row = _with_profits(row, found, problems, optima)
    whole = _whole_windows(found, problems)
    if whole:
        row = _with_times(row, found, whole, pace, rival)
        if problems.book:
            row = _with_out_of_sample(row, whole, problems, optima, seed)
    return row


def _with_profits(row: OptimizerRow, found: list[Trial], problems: FitProblems, optima: Optima) -> OptimizerRow:
    """Windows count alike, however many seeds each was run with."""
    windows = np.array([trial.window for trial in found])
    weights = 1.0 / np.bincount(windows)[windows]
    profits = problems.per_bar * np.array([trial.history[-1].profit for trial in found])
    gaps = problems.per_bar * np.array([gap(trial, optima) for trial in found])
    best = problems.per_bar * np.array([optima.profit[trial.policy, trial.window] for trial in found])
    return replace(
        row,
        found_bps=float(np.average(profits, weights=weights)),
        optimum_bps=float(np.average(best, weights=weights)),
        gap_bps=float(np.average(gaps, weights=weights)),
        least_gap_bps=float(gaps.min()),
        largest_gap_bps=float(gaps.max()),
        reached=float(np.average(gaps <= NEAR, weights=weights)),
    )


def _with_times(
    row: OptimizerRow,
    found: list[Trial],
    whole: list[list[Trial]],
    pace: dict[int, float],
    rival: dict[int, float],
) -> OptimizerRow:
    evaluations = sum(trial.evaluations for trial in found)
    outer = sum(trial.seconds - trial.inside for trial in found)
    common = [window for window in pace if window in rival]
    own, other = (float(np.median([seconds_of[w] for w in common])) if common else 0.0 for seconds_of in (pace, rival))
    return replace(
        row,
        seconds=float(np.median(list(pace.values()))),
        ratio=own / other if other else None,
        evaluations=float(np.mean([sum(trial.evaluations for trial in trials) for trials in whole])),
        overhead_seconds=outer / evaluations if evaluations else None,
    )


def _with_out_of_sample(
    row: OptimizerRow, whole: list[list[Trial]], problems: FitProblems, optima: Optima, seed: int
) -> OptimizerRow:
    """Profits on the bars after the windows, the mean over the seeds: of the answers, and of the optimum."""
    windows = np.array([trials[0].window for trials in whole])
    answers = [
        [(t.history[-1].high_multiplier, t.history[-1].low_multiplier, t.history[-1].profit) for t in trials]
        for trials in whole
    ]
    own = _booked(problems, windows, np.moveaxis(np.array(answers), 0, -1))
    of_all = np.stack([optima.high_multiplier, optima.low_multiplier, optima.profit], axis=1)
    best = _booked(problems, windows, of_all[..., windows])
    interval = mean_interval(own, seed)
    return replace(
        row,
        out_of_sample_bps=float(BASIS_POINTS * own.mean()),
        optimum_out_of_sample_bps=float(BASIS_POINTS * best.mean()),
        low_bps=None if interval is None else BASIS_POINTS * interval.low,
        high_bps=None if interval is None else BASIS_POINTS * interval.high,
    )


def _booked(problems: FitProblems, windows: NDArray[np.int64], answers: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the better policy's answers `[policies, 3, K]` to windows `[K]` earned: a profit a window, oldest first."""
    assert problems.book is not None
    profit = answers[:, 2]
    better = np.argmax(profit >= profit.max(0) - TIE, axis=0)
    h, l, _ = answers[better, :, np.arange(len(windows))].T
    booked = problems.book(windows, h, l, np.array(problems.policies)[better])
    newest_first = [booked[windows == window].mean() for window in np.unique(windows)]
    return np.array(newest_first[::-1])


def _whole_windows(found: Sequence[Trial], problems: FitProblems) -> list[list[Trial]]:
    """The trials of a window and a seed, by policy, where all policies have an answer."""
    by_window: dict[tuple[int, int], list[Trial]] = {}
    for trial in found:
        by_window.setdefault((trial.seed, trial.window), []).append(trial)
    whole = [trials for trials in by_window.values() if len(trials) == len(problems.policies)]
    return [sorted(trials, key=lambda trial: trial.policy) for trials in whole]


def _seconds_by_window(run: OptimizerTrials, problems: FitProblems) -> dict[int, float]:
    """The seconds for all policies of each window, the median of the seeds."""
    seconds: dict[int, list[float]] = {}
    for trials in _whole_windows([trial for trial in run.trials if trial.history], problems):
        seconds.setdefault(trials[0].window, []).append(sum(trial.seconds for trial in trials))
    return {window: float(np.median(taken)) for window, taken in seconds.items()}


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
