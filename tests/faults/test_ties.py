"""Levels that touch a price exactly: the maximum against brute force over decimals, which are whole numbers here."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers.exact.maximum import maximize
from marketsim.optimizers.exact.tuning import TUNING
from marketsim.settings.choices import FILLS
from tests.decimals import best_of_all
from tests.oracle import Bar, Rules
from tests.problems import BLOCKS, BOUNDS, GRIDS, terms_of

BARS = {"touch": 7, "provable": 7, "expected": 3}  # of a problem, by how many candidates they have
PROBLEMS = {"touch": 200, "provable": 150, "expected": 50}  # a third of them closes at the close


def rounded_problem(seed: int, rules: Rules) -> ProfitTerms:
    """Both legs on bars and forecasts of three decimals, a few hundredths wide: ties everywhere."""
    rng = np.random.default_rng(seed)
    bars = []
    for _ in range(BARS[rules.fill]):
        open_, close = np.round(0.004 * rng.standard_normal(2), 3)
        above, below = np.round(0.004 * np.abs(rng.standard_normal(2)), 3)
        high, low = np.round(max(open_, close) + above, 3), np.round(min(open_, close) - below, 3)
        moves = np.round([0.004, -0.004] + 0.002 * rng.standard_normal(2), 3)
        bars.append(Bar(*map(float, (*moves, open_, high, low, close)), long=True, short=True))
    return terms_of(bars, rules)


@pytest.mark.parametrize("fill", FILLS)
def test_the_maximum_of_rounded_problems_is_that_of_brute_force(fill: str) -> None:
    """In every way to it: as matrix products, by running sums over whole grids, and by blocks of candidates."""
    problems = [rounded_problem(seed, Rules(0.005, 0.0, fill, seed % 3 == 0)) for seed in range(PROBLEMS[fill])]
    best = np.array([best_of_all(terms, BOUNDS) for terms in problems])
    for way in (TUNING, GRIDS, BLOCKS):
        found = maximize(ProfitTerms.concatenate(problems), BOUNDS, tuning=way)
        np.testing.assert_allclose(found.profit, best, rtol=0, atol=1e-10)


def test_without_touching_an_optimum_on_a_line_is_missed() -> None:
    problems = ProfitTerms.concatenate(
        [rounded_problem(seed, Rules(0.005, 0.0, "touch", False)) for seed in range(300)]
    )
    missed = maximize(problems, BOUNDS).profit - maximize(problems, BOUNDS, touching=False).profit
    assert missed.min() > -1e-12 and (missed > 1e-4).sum() > 5
