"""Every optimiser on the reference's benchmark and on ETHUSD's windows, as the table of the README.

Checks that nothing beats the exact fit: on the reference's problem it is first in profit and in time, no gap is below
zero in any run, and it is at least 40 times as fast as DIRECT's 500 evaluations, a candidate at a time, on the very
same surface. Run: scripts/bench optimizers [SECONDS for each problem]
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Sequence
from typing import Any

from marketsim import registry
from marketsim.comparison.optimizers import Contest, compete, prove, run
from marketsim.comparison.problems import real_contest, reference_contest
from marketsim.comparison.ranking import gap, standings
from marketsim.optimizers.objective import Limits
from marketsim.reference import BOUNDS
from marketsim.settings.settings import Settings

LIMITS = Limits(evaluations=500)
SEEDS = (42, 43, 44)
PATIENCE = 80.0
NEEDED, REPEATS = 40, 21


def ratio(contest: Contest, policy: int) -> float:
    """How many times as long as the exact fit DIRECT takes on one problem, the median of each."""
    seconds = {}
    for name, repeats in (("exact", REPEATS), ("direct", REPEATS // 3)):
        optimizer = registry.load(registry.OPTIMIZERS, "optimizer", name)()
        run(optimizer, contest, 0, policy, LIMITS, 0)
        seconds[name] = statistics.median(run(optimizer, contest, 0, policy, LIMITS, 0).seconds for _ in range(repeats))
    return seconds["direct"] / seconds["exact"]


def table(rows: Sequence[dict[str, Any]]) -> None:
    print("| optimiser | found | gap | reached | of DE's time | evaluations | windows | status |")
    print("|---|---|---|---|---|---|---|---|")
    for row in rows:
        if row["runs"]:
            print(
                f"| {row['name']} | {row['found_bps']:+.2f} | {row['gap_bps']:.3f} | {100 * row['reached']:.0f} % | "
                f"{row['ratio'] or float('nan'):.3f} | {row['evaluations']:,.0f} | {row['windows']} | {row['status']} |"
            )
        else:
            print(f"| {row['name']} | | | | | | | {row['status']} |")


def measure(title: str, contest: Contest, patience: float) -> tuple[list[dict[str, Any]], float]:
    """The rows, printed, and the least gap of all runs."""
    proof = prove(contest)
    entries = compete(list(registry.OPTIMIZERS), contest, LIMITS, SEEDS, patience)
    rows = standings(contest, proof, entries, SEEDS[0])
    print(f"\n{title}; found and gap in bps a bar, time for both policies\n")
    table(rows)
    return rows, min(gap(trial, proof) for entry in entries for trial in entry.trials if trial.history)


def main(patience: float) -> int:
    contest = reference_contest(BOUNDS)
    ratios = [ratio(contest, policy) for policy in range(len(contest.policies))]
    print(
        f"one problem of 200 bars, exact against direct (500): {', '.join(f'{each:.0f}x' for each in ratios)} as fast"
    )
    rows, least = measure("The reference's benchmark", contest, patience)
    ran = [row for row in rows if row["runs"]]
    exact = next(row for row in ran if row["name"] == "exact")
    first = all(exact["found_bps"] >= row["found_bps"] and exact["seconds"] <= row["seconds"] for row in ran)
    real, _ = real_contest("ETHUSD", Settings(), lambda what, done, total: None)
    _, least_real = measure(f"ETHUSD, {real.windows} windows of {real.bars} bars", real, patience)
    failed = {
        f"exact is less than {NEEDED}x as fast as direct": min(ratios) < NEEDED,
        "exact is not first in profit and in time": not first,
        f"a gap is below zero: {min(least, least_real):.1e}": min(least, least_real) < 0,
    }
    for words in (words for words, true in failed.items() if true):
        print(f"FAIL: {words}")
    if not any(failed.values()):
        print("\nPASS: exact is first in profit and time, and no run is above the proven optimum")
    return int(any(failed.values()))


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else PATIENCE))
