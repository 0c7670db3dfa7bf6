"""Levels that touch a price exactly: the maximum against brute force over decimals, which are whole numbers here."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from marketsim.execution.profit_terms import Leg, ProfitTerms, stack
from marketsim.optimizers.exact import leg_profit, maximum
from marketsim.optimizers.exact.maximum import STEP, maximise
from marketsim.settings.choices import FILLS
from tests.oracle import Bar, Rules
from tests.problems import BOUNDS, terms_of

UNIT = 1e-13  # of a move: all that is compared is a whole number of them
BARS = {"touch": 7, "provable": 7, "expected": 3}  # of a problem, by how many candidates they have
PROBLEMS = {"touch": 1_000, "provable": 700, "expected": 300}  # a third of them closes at the close

Whole = NDArray[np.int64]


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


def whole(x: NDArray[np.float64] | float) -> Whole:
    return np.rint(np.asarray(x) / UNIT).astype(np.int64)


def meetings(terms: ProfitTerms, step: int) -> tuple[Whole, Whole]:
    """Where levels meet edges, a step to either side, bounds and zero: increasing `h` and `l`."""
    h, l = [], []
    for leg in terms.legs:
        upper = (whole(leg.upper_edges) - whole(leg.upper_move)[..., None]).ravel()
        edges = np.concatenate([leg.lower_edges, leg.low[..., None]], -1)
        lower = (whole(edges) - whole(leg.lower_move)[..., None]).ravel()
        h.append(-lower if leg.mirrored else upper)
        l.append(-upper if leg.mirrored else lower)
    bound = int(whole(BOUNDS[0][1]))
    points = (np.concatenate([*parts, [-bound, 0, bound]]) for parts in (h, l))
    sides = (np.unique(np.concatenate([x - step, x, x + step])) for x in points)
    first, second = (x[np.abs(x) <= bound] for x in sides)
    return first, second


def exact_profit(leg: Leg, h: Whole, l: Whole) -> NDArray[np.float64]:
    """What a leg earns at `[K_l, K_h]`: the formula of `Leg`, compared in whole numbers."""
    upper, lower = (-l, -h) if leg.mirrored else (h, l)
    u = np.clip(whole(leg.upper_move) + upper[:, None], *whole(leg.upper_clip))  # [K, W]
    d = np.clip(whole(leg.lower_move) + lower[:, None], *whole(leg.lower_clip))
    p, q = ((whole(edges) < x[..., None]).sum(-1) for x, edges in ((u, leg.upper_edges), (d, leg.lower_edges)))
    entry = np.where(d > whole(leg.low), leg.at_level + leg.per_lower * np.minimum(UNIT * d, leg.open), 0.0).sum(1)
    weight = np.pad(
        leg.weight[0], [(0, 0), (0, 1), (1, 0)]
    )  # nothing beyond the last upper bin, before the first lower
    bar = np.arange(u.shape[1])
    value = leg.gain + leg.per_upper * u * UNIT
    taken = (weight[bar, p[None], q[:, None]] * value).sum(-1)
    profit = taken + entry[:, None]
    return profit.T if leg.mirrored else profit


def best_of_all(terms: ProfitTerms) -> float:
    h, l = meetings(terms, int(whole(STEP)))
    return float(sum(exact_profit(leg, h, l) for leg in terms.legs).max())


@pytest.mark.parametrize("fill", FILLS)
def test_the_maximum_of_rounded_problems_is_that_of_brute_force(fill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """In every way to it: as matrix products, by running sums over whole grids, and by blocks of candidates."""
    problems = [rounded_problem(seed, Rules(0.005, 0.0, fill, seed % 3 == 0)) for seed in range(PROBLEMS[fill])]
    best = np.array([best_of_all(terms) for terms in problems])
    inside = 2 * STEP * BARS[fill]  # what a step inside may cost, where a leg alone has its end there
    for limits in ({}, {"SHORT": 0}, {"SHORT": 0, "FEW": 0, "ALL": 0}):
        with monkeypatch.context() as forced:
            for name, limit in limits.items():
                forced.setattr(leg_profit if name == "SHORT" else maximum, name, limit)
            found = maximise(stack(problems), BOUNDS).profit
        assert (found <= best + 1e-12).all()
        assert (found >= best - inside).all()


def test_without_touching_an_optimum_on_a_line_is_missed() -> None:
    problems = stack([rounded_problem(seed, Rules(0.005, 0.0, "touch", False)) for seed in range(300)])
    missed = maximise(problems, BOUNDS).profit - maximise(problems, BOUNDS, touching=False).profit
    assert missed.min() > -1e-12 and (missed > 1e-4).sum() > 5
