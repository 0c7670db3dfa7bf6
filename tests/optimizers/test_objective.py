"""The objective keeps count, clock, bounds and the best, whatever a search does."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim.execution.evaluation import evaluate
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers import objective
from marketsim.optimizers.objective import TOGETHER, Limits, Objective, Spent
from tests.compiled import code  # noqa: F401
from tests.problems import BOUNDS, staircase

STAIRS = staircase([[0.2, 0.3], [0.4, 1.0]])
TOP = (0.02, 0.02)  # on the highest step


def test_a_candidate_outside_the_bounds_is_the_nearest_one_inside() -> None:
    problem = Objective(STAIRS, BOUNDS)
    assert problem([7.0, 7.0]) == problem([0.03, 0.03])
    assert problem.best is not None
    assert (problem.best.high_multiplier, problem.best.low_multiplier) == (0.03, 0.03)


def test_losses_are_the_surface_s_profits_with_the_sign_changed() -> None:
    points = np.random.default_rng(1).uniform(-0.03, 0.03, (2 * TOGETHER + 3, 2))
    losses = Objective(STAIRS, BOUNDS).losses(points)
    np.testing.assert_array_equal(-losses, evaluate(STAIRS, points[None, :, 0], points[None, :, 1])[0])


def test_a_batch_beyond_the_budget_is_evaluated_as_far_as_it_goes() -> None:
    problem = Objective(STAIRS, BOUNDS, Limits(evaluations=3))
    with pytest.raises(Spent, match="budget"):
        problem.losses([(-0.02, -0.02), (-0.01, -0.01), TOP, (0.0, 0.0)])
    assert problem.evaluations == 3
    assert [step.evaluations for step in problem.history] == [1, 3]
    assert [step.profit for step in problem.history] == pytest.approx([0.02, 0.1])
    with pytest.raises(Spent, match="budget"):
        problem(TOP)
    assert problem.evaluations == 3


def test_every_step_of_the_history_is_better_than_all_before() -> None:
    problem = Objective(STAIRS, BOUNDS)
    problem((-0.02, 0.02))
    problem.losses([(-0.02, -0.02), (-0.02, 0.01), (0.02, -0.02), TOP])
    assert [step.evaluations for step in problem.history] == [1, 4, 5]
    assert [step.profit for step in problem.history] == pytest.approx([0.03, 0.04, 0.1])


def test_a_search_cannot_swallow_the_end() -> None:
    assert not issubclass(Spent, Exception)


def test_time_is_up_before_the_next_evaluation() -> None:
    problem = Objective(STAIRS, BOUNDS, Limits(seconds=1e-9))
    with pytest.raises(Spent, match="timeout"):
        problem(TOP)
    assert problem.evaluations == 0


def test_without_limits_a_search_has_its_own_number() -> None:
    assert Objective(STAIRS, BOUNDS).at_most(7) == 7
    assert Objective(STAIRS, BOUNDS, Limits(evaluations=5)).at_most(7) == 5
    assert Objective(STAIRS, BOUNDS, Limits(seconds=5)).at_most(7) > 1000


@pytest.mark.parametrize("failure", [float("nan"), float("inf"), ValueError("no")])
def test_a_candidate_without_a_price_loses_most_and_is_never_the_best(
    failure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(terms: Any, h: Any, l: Any) -> Any:
        if isinstance(failure, Exception):
            raise failure
        return np.full(h.shape, failure)

    problem = Objective(STAIRS, BOUNDS)
    good = problem((-0.02, -0.02))
    with monkeypatch.context() as patched:
        patched.setattr(objective, "evaluate", fail)
        patched.setattr(problem, "_compiled", None)
        lost = problem(TOP)
    assert np.isfinite(lost)
    assert lost > good
    assert (problem.evaluations, problem.unpriced, len(problem.history)) == (2, 1, 1)
    problem(TOP)
    assert problem.best is not None
    assert problem.best.evaluations == 3


def test_a_price_that_is_no_number_is_none() -> None:
    (leg,) = STAIRS.legs
    problem = Objective(ProfitTerms((replace(leg, at_level=leg.low * np.nan, low=leg.low * 0 - 1),)), BOUNDS)
    assert np.isfinite(problem(TOP))
    assert np.isfinite(problem.losses([TOP, (0.0, 0.0)])).all()
    assert (problem.unpriced, problem.best) == (3, None)


@pytest.mark.parametrize("point", [(np.nan, np.nan), (0.01, np.nan), (np.nan, 0.01)])
def test_a_candidate_that_is_no_number_is_never_the_best(point: tuple[float, float]) -> None:
    losing = Objective(staircase([[-0.2, -0.3], [-0.4, -1.0]]), BOUNDS)
    assert np.isfinite(losing(point))
    assert np.isfinite(losing.losses([point, TOP])).all()
    assert losing.unpriced == 2
    assert losing.best is not None
    assert (losing.best.high_multiplier, losing.best.low_multiplier) == TOP


def test_one_candidate_costs_what_it_does_among_others() -> None:
    alone, together = Objective(STAIRS, BOUNDS), Objective(STAIRS, BOUNDS)
    points = np.random.default_rng(2).uniform(-0.05, 0.05, (40, 2))
    assert [alone(point) for point in points] == together.losses(points).tolist()
    assert [step.evaluations for step in alone.history] == [step.evaluations for step in together.history]
    assert [step.high_multiplier for step in alone.history] == [step.high_multiplier for step in together.history]
