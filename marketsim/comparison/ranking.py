"""What the arena's trials come to: a row an optimiser, as JSON values."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import numpy as np

from marketsim import __version__
from marketsim.comparison.optimizers import Contest, Entry, Proof, Trial
from marketsim.execution.profit_terms import TIE
from marketsim.optimizers.objective import Limits
from marketsim.results import rows
from marketsim.results.metrics import LEAST_BARS, bootstrap_interval
from marketsim.settings.choices import BASIS_POINTS

SCHEMA = "marketsim.compare-optimizers/1"
NEAR = 0.01  # basis points a bar: what is nearer than this to the optimum has reached it, and to another is a tie
RIVAL = "differential-evolution"
LIBRARIES = ("numpy", "scipy", "torch", "nevergrad", "botorch", "evotorch", "cma", "nlopt", "optuna")

Row = dict[str, Any]


class TrialRow(rows.Row, frozen=True):
    """A run of an optimizer on a problem; profits are sums over the window, None where it found nothing."""

    optimizer: str
    window: rows.Count
    close_at_eod: bool
    seed: int
    status: str
    high_multiplier: float | None
    low_multiplier: float | None
    profit: rows.Profit | None
    gap: float | None  # to the greatest profit
    evaluations: rows.Count
    seconds: float  # of which
    inside: float  # in the objective


class HistoryRow(rows.Row, frozen=True):
    """A new best of a run."""

    optimizer: str
    window: rows.Count
    close_at_eod: bool
    seed: int
    evaluations: rows.Count  # up to and including it
    seconds: float
    high_multiplier: float
    low_multiplier: float
    profit: rows.Profit
    gap: float  # to the greatest profit


def document(contest: Contest, proof: Proof, entries: Sequence[Entry], limits: Limits, settings: Row) -> Row:
    """The whole comparison. Unlike other documents it holds times, which are what it is about."""
    return {
        "schema": SCHEMA,
        "marketsim": __version__,
        "settings": settings,
        "libraries": {"python": platform.python_version()} | _versions(),
        "problem": contest.facts
        | {
            "windows": contest.windows,
            "bars": contest.bars,
            "policies": ["close" if eod else "take-profit" for eod in contest.policies],
        },
        "limits": asdict(limits),
        "optimum": {"profit_bps": _bps(proof.profit.mean(), contest), "seconds_together": proof.seconds},
        "optimizers": standings(contest, proof, entries, settings["seed"]),
    }


def standings(contest: Contest, proof: Proof, entries: Sequence[Entry], seed: int) -> list[Row]:
    """A row an optimiser, best first: by its gap to the optimum, then by its time.

    Those that ran on fewer than ten windows, of a contest that has them, are too uncertain to have a rank and come
    after the others; those without a result come last.
    """
    rows = [_row(entry, contest, proof, seed) for entry in entries]
    rival = next((row["seconds"] for row in rows if row["name"] == RIVAL), None)
    for row in rows:
        row["ratio"] = row["seconds"] / rival if rival and row["seconds"] else None
    by_gap = sorted((row for row in rows if row["runs"]), key=lambda row: row["gap_bps"])
    ranked = [row for row in by_gap if row["windows"] >= min(LEAST_BARS, contest.windows)]
    first = 0
    for i, row in enumerate(ranked):
        if row["gap_bps"] > ranked[first]["gap_bps"] + NEAR:
            first = i
        row["rank"] = first + 1
    for row in ranked:
        row["tie"] = sum(other["rank"] == row["rank"] for other in ranked) > 1
    ranked.sort(key=lambda row: (row["rank"], row["seconds"]))
    return ranked + [row for row in by_gap if row["rank"] is None] + [row for row in rows if not row["runs"]]


def gap(trial: Trial, proof: Proof) -> float:
    """What the trial missed of its problem's greatest profit, a sum over the window; what is below 1e-9 is 0."""
    missed = float(proof.profit[trial.policy, trial.window]) - trial.history[-1].profit
    return 0.0 if abs(missed) < 1e-9 else missed


def trials(contest: Contest, proof: Proof, entries: Sequence[Entry]) -> Iterator[TrialRow]:
    """A row a run."""
    for entry in entries:
        for trial in entry.trials:
            best = trial.history[-1] if trial.history else None
            yield TrialRow(
                optimizer=entry.name,
                window=trial.window,
                close_at_eod=contest.policies[trial.policy],
                seed=trial.seed,
                status=trial.status,
                high_multiplier=None if best is None else best.high_multiplier,
                low_multiplier=None if best is None else best.low_multiplier,
                profit=None if best is None else best.profit,
                gap=None if best is None else gap(trial, proof),
                evaluations=trial.evaluations,
                seconds=trial.seconds,
                inside=trial.inside,
            )


def history(contest: Contest, proof: Proof, entries: Sequence[Entry]) -> Iterator[HistoryRow]:
    """A row a new best of a run."""
    for entry in entries:
        for trial in entry.trials:
            optimum = float(proof.profit[trial.policy, trial.window])
            for step in trial.history:
                yield HistoryRow(
                    optimizer=entry.name,
                    window=trial.window,
                    close_at_eod=contest.policies[trial.policy],
                    seed=trial.seed,
                    evaluations=step.evaluations,
                    seconds=step.seconds,
                    high_multiplier=step.high_multiplier,
                    low_multiplier=step.low_multiplier,
                    profit=step.profit,
                    gap=max(optimum - step.profit, 0.0),
                )


def _row(entry: Entry, contest: Contest, proof: Proof, seed: int) -> Row:
    found = [trial for trial in entry.trials if trial.history]
    gaps = np.array([gap(trial, proof) for trial in found])
    by_window: dict[tuple[int, int], list[Trial]] = {}
    for trial in found:
        by_window.setdefault((trial.seed, trial.window), []).append(trial)
    whole = [each for each in by_window.values() if len(each) == len(contest.policies)]
    outside = _out_of_sample(whole, contest) if contest.booked and whole else None
    interval = None if outside is None else bootstrap_interval(outside, seed)
    evaluations = sum(trial.evaluations for trial in found)
    outer = sum(trial.seconds - trial.inside for trial in found)
    per_bar = BASIS_POINTS / contest.bars
    return {
        "name": entry.name,
        "status": entry.status,
        "message": entry.message,
        "rank": None,
        "tie": False,
        "found_bps": float(per_bar * np.mean([trial.history[-1].profit for trial in found])) if found else None,
        "gap_bps": float(per_bar * gaps.mean()) if found else None,
        "largest_gap_bps": float(per_bar * gaps.max()) if found else None,
        "least_gap_bps": float(per_bar * gaps.min()) if found else None,
        "reached": float(np.mean(per_bar * gaps <= NEAR)) if found else None,
        "out_of_sample_bps": None if outside is None else float(BASIS_POINTS * outside.mean()),
        "low_bps": None if interval is None else BASIS_POINTS * interval[0],
        "high_bps": None if interval is None else BASIS_POINTS * interval[1],
        "windows": len({trial.window for trial in found}),
        "runs": len(found),
        "seconds": float(np.median([sum(trial.seconds for trial in each) for each in whole])) if whole else None,
        "ratio": None,
        "evaluations": float(np.mean([sum(trial.evaluations for trial in each) for each in whole])) if whole else None,
        "overhead_seconds": outer / evaluations if evaluations else None,
    }


def _out_of_sample(whole: list[list[Trial]], contest: Contest) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Profits on the evaluated bars of the better policy's multipliers, the mean over the seeds, oldest bar first."""
    assert contest.booked is not None
    chosen = []
    for each in whole:
        each.sort(key=lambda trial: trial.policy)
        best = max(trial.history[-1].profit for trial in each)
        chosen.append(next(trial for trial in each if trial.history[-1].profit >= best - TIE))
    windows = np.array([trial.window for trial in chosen])
    h, l = (
        np.array([getattr(trial.history[-1], name) for trial in chosen])
        for name in ("high_multiplier", "low_multiplier")
    )
    profits = contest.booked(windows, h, l, np.array([contest.policies[trial.policy] for trial in chosen]))
    newest_first = [profits[windows == window].mean() for window in np.unique(windows)]
    return np.array(newest_first[::-1])


def _bps(profit: float, contest: Contest) -> float:
    return float(BASIS_POINTS * profit / contest.bars)


def _versions() -> Row:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found
