"""Every optimizer on the reference's benchmark and on ETHUSD's windows, as the table of docs/speed.md.

Checks that nothing beats the exact fit: on the reference's problem it is first in profit and in time, no gap is below
zero in any run, and it is at least 40 times as fast as DIRECT's 500 evaluations, a candidate at a time, on the very
same surface. Run: scripts/bench optimizers [SECONDS for each problem]
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence

from marketsim import registry
from marketsim.comparison.optimizers import compare, run_trial
from marketsim.comparison.problems import FitProblems, reference_problems, symbol_problems
from marketsim.comparison.ranking import gap, rank
from marketsim.comparison.schema import OptimizerRow
from marketsim.optimizers.objective import Limits
from marketsim.reference import BOUNDS
from marketsim.settings.settings import Settings

LIMITS = Limits(evaluations=500)
SEEDS = (42, 43, 44)
PATIENCE = 80.0
NEEDED, REPEATS = 40, 21


def ratio(problems: FitProblems, policy: int) -> float:
    """How many times as long as the exact fit DIRECT takes on one problem, the median of each."""
    seconds = {}
    for name, repeats in (("exact", REPEATS), ("direct", REPEATS // 3)):
        optimizer = registry.load(registry.OPTIMIZERS, "optimizer", name)()
        run_trial(optimizer, problems, 0, policy, LIMITS, 0)
        trials = [run_trial(optimizer, problems, 0, policy, LIMITS, 0) for _ in range(repeats)]
        seconds[name] = statistics.median(trial.seconds for trial in trials)
    return seconds["direct"] / seconds["exact"]


def table(rows: Sequence[OptimizerRow], windows: int) -> None:
    print("| optimizer | windows | found | optimum | gap | reached | of DE's time | evaluations | status |")
    print("|---|---|---|---|---|---|---|---|---|")
    for row in rows:
        if row.gap_bps is None or row.evaluations is None:
            print(f"| {row.name} | | | | | | | | {row.status} |")
        else:
            print(
                f"| {row.name} | {row.windows}/{windows} | {row.found_bps:+.3f} | {row.optimum_bps:+.3f} | "
                f"{row.gap_bps:.3f} | {row.reached:.0%} | {row.ratio or float('nan'):.3f} | {row.evaluations:,.0f} | "
                f"{row.status} |"
            )


def measure(title: str, problems: FitProblems, patience: float) -> tuple[list[OptimizerRow], float]:
    """The rows, printed, and the least gap of all trials."""
    optima = problems.solve()
    runs = compare(list(registry.OPTIMIZERS), problems, LIMITS, SEEDS, patience)
    rows = rank(problems, optima, runs, SEEDS[0])
    print(f"\n{title}; found, optimum and gap in bps/bar, time for both policies\n")
    table(rows, problems.windows)
    return rows, min(gap(trial, optima) for run in runs for trial in run.trials if trial.history)


def main(patience: float) -> int:
    problems = reference_problems(BOUNDS)
    ratios = [ratio(problems, policy) for policy in range(len(problems.policies))]
    print(
        f"one problem of 200 bars, exact against direct (500): {', '.join(f'{ratio:.0f}x' for ratio in ratios)} as fast"
    )
    rows, least = measure("The reference's published benchmark", problems, patience)
    ran = [row for row in rows if row.seconds is not None]
    quickest = min(ran, key=lambda row: row.seconds or 0.0)
    real, _ = symbol_problems("ETHUSD", Settings(), lambda what, done, total: None)
    _, least_real = measure(f"ETHUSD, {real.windows} windows of {real.facts.bars} bars", real, patience)
    failed = {
        f"exact is less than {NEEDED}x as fast as direct": min(ratios) < NEEDED,
        "exact is not first in profit and in time": rows[0].name != "exact" or quickest.name != "exact",
        f"a gap is below zero: {min(least, least_real):.1e}": min(least, least_real) < 0,
    }
    for words in (words for words, true in failed.items() if true):
        print(f"FAIL: {words}")
    if not any(failed.values()):
        print("\nPASS: exact is first in profit and time, and no run is above the proven optimum")
    return int(any(failed.values()))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else PATIENCE))
