"""What every optimizer of the registry must keep to."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from marketsim import registry
from marketsim.errors import MissingExtra
from marketsim.execution.evaluation import evaluate
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import ProfitTerms
from marketsim.optimizers import Optimizer, Search, objective
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.maximum import FINE, maximize
from marketsim.optimizers.objective import Limits, Objective, Spent
from tests.oracle import Rules
from tests.problems import BOUNDS, make_bars, staircase, terms_of

PROBLEMS = ProfitTerms.concatenate(
    [
        terms_of(make_bars(seed, 20, "continuous", True, False), Rules(0.0015, 0.0005, "touch", eod))
        for seed in range(2)
        for eod in (False, True)
    ]
)
COSTLY = {"botorch": 10, "optuna": 60, "nevergrad-ngopt": 100}  # evaluations, of those that think long about each
STAIRS = [[0.1, 0.3, 0.2], [0.2, 0.6, 1.0], [0.1, 0.4, 0.7]]


@pytest.fixture
def name(optimizer_name: str) -> str:
    return optimizer_name


@pytest.fixture
def optimizer(name: str) -> Optimizer:
    try:
        made: Optimizer = registry.load(registry.OPTIMIZERS, "optimizer", name)()
    except MissingExtra as error:
        pytest.skip(str(error))
    if isinstance(made, Search) and made.limits.evaluations:
        made.limits = Limits(evaluations=min(COSTLY.get(name, 100) // 2, 40))
    return made


def price_by(monkeypatch: pytest.MonkeyPatch, priced: Any) -> None:
    """Candidates are priced by a function of Python, not by compiled code, which cannot be watched."""
    monkeypatch.setattr(objective.CompiledTerms, "of", lambda terms: None)
    monkeypatch.setattr(objective, "evaluate", priced)


def searched(optimizer: Optimizer, problem: Any, evaluations: int, seed: int = 5) -> Objective:
    one = Objective(problem, BOUNDS, Limits(evaluations))
    with suppress(Spent):
        optimizer.search(one, seed)
    assert one.best is not None
    return one


@pytest.mark.parametrize("bounds", [BOUNDS, ((0.0, 0.01), (-0.02, -0.01))])
def test_a_fit_stays_inside_the_bounds_attains_what_it_claims_and_never_beats_the_optimum(
    optimizer: Optimizer, bounds: tuple[tuple[float, float], tuple[float, float]]
) -> None:
    found = optimizer.fit(PROBLEMS, bounds, 1)
    h, l = found.high_multiplier, found.low_multiplier
    assert h.shape == l.shape == found.profit.shape == (4,)
    assert ((bounds[0][0] <= h) & (h <= bounds[0][1]) & (bounds[1][0] <= l) & (l <= bounds[1][1])).all()
    np.testing.assert_allclose(evaluate(PROBLEMS, h[:, None], l[:, None])[:, 0], found.profit, atol=1e-14)
    assert (found.profit <= maximize(PROBLEMS, bounds, FINE).profit + 1e-9).all()
    assert found.fallbacks == 0


def test_a_fit_keeps_the_floor_and_attains_what_it_claims(optimizer: Optimizer) -> None:
    floor = Floor(np.array([0.0, -0.02, 0.01, 0.05]), np.array([0.0, 0.02, -0.01, -0.05]), 0.05)
    found = optimizer.fit(PROBLEMS, BOUNDS, 1, floor)
    h, l = found.high_multiplier, found.low_multiplier
    kept = floor.allows(h, l)
    assert kept.tolist() == [True, False, True, True]  # one can keep it nowhere inside the bounds
    assert (np.abs([h, l]) <= 0.03).all()
    np.testing.assert_allclose(evaluate(PROBLEMS, h[:, None], l[:, None])[:, 0], found.profit, atol=1e-14)
    assert (found.profit <= Exact().fit(PROBLEMS, BOUNDS, 1, floor).profit + 1e-9)[kept].all()


def test_the_same_seed_gives_the_same_answer_whatever_else_is_fitted(optimizer: Optimizer) -> None:
    together = optimizer.fit(PROBLEMS, BOUNDS, 7)
    alone = optimizer.fit(PROBLEMS.at(np.array([3])), BOUNDS, 7)
    assert together.high_multiplier[3] == alone.high_multiplier[0]
    assert together.low_multiplier[3] == alone.low_multiplier[0]


def test_finds_the_top_of_a_bowl(name: str, optimizer: Optimizer) -> None:
    h, l = np.meshgrid(np.linspace(-0.9, 1.1, 60), np.linspace(-1.2, 0.8, 60), indexing="ij")
    one = searched(optimizer, staircase(1 - (h**2 + l**2) / 2), COSTLY.get(name, 500))
    assert one.best is not None
    assert one.best.profit > 0.099
    assert one.best.high_multiplier == pytest.approx(-0.003, abs=0.006)
    assert one.best.low_multiplier == pytest.approx(0.006, abs=0.006)


def test_finds_the_top_of_a_staircase(name: str, optimizer: Optimizer) -> None:
    one = searched(optimizer, staircase(STAIRS), COSTLY.get(name, 500))
    assert one.best is not None
    assert one.best.profit == pytest.approx(0.1)


def test_prices_no_more_than_the_budget_and_only_inside_the_bounds(
    name: str, optimizer: Optimizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    priced: list[np.ndarray[Any, Any]] = []

    def watched(terms: Any, h: Any, l: Any) -> Any:
        priced.append(np.stack([h[0], l[0]], 1))
        return evaluate(terms, h, l)

    price_by(monkeypatch, watched)
    one = searched(optimizer, staircase(STAIRS), budget := COSTLY.get(name, 60) // 2)
    points = np.concatenate(priced)
    assert one.evaluations == len(points) <= budget
    assert (np.abs(points) <= 0.03).all()


def test_the_same_seed_makes_the_same_history(name: str, optimizer: Optimizer) -> None:
    evaluations = min(12, COSTLY.get(name, 24) // 2)
    first, second = (
        [replace(step, seconds=0.0) for step in searched(optimizer, PROBLEMS.at(np.array([0])), evaluations, 3).history]
        for _ in range(2)
    )
    assert first == second


def test_goes_on_where_the_objective_is_not_a_number_or_fails(
    name: str, optimizer: Optimizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = 0

    def unreliable(terms: Any, h: Any, l: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls % 5 == 4:
            raise ZeroDivisionError("as planned")
        profits = evaluate(terms, h, l)
        return np.where(np.arange(calls, calls + h.shape[1]) % 3 == 0, np.nan, profits)

    price_by(monkeypatch, unreliable)
    one = searched(optimizer, staircase(STAIRS), COSTLY.get(name, 200) // 2)
    assert one.best is not None
    assert 0 < one.best.profit <= 0.1
    assert name == "exact" or one.unpriced


def test_is_never_above_the_proven_optimum(name: str, optimizer: Optimizer) -> None:
    for b, optimum in enumerate(maximize(PROBLEMS, BOUNDS, FINE).profit):
        one = searched(optimizer, PROBLEMS.at(np.array([b])), COSTLY.get(name, 300) // 2)
        assert one.best is not None
        assert one.best.profit <= optimum + 1e-9
