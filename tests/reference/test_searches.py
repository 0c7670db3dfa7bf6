"""Searches of any function: bounds, seeds, other processes, and one that takes over from another."""

from __future__ import annotations

from collections.abc import Sequence
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
from scipy import optimize

from marketsim.errors import BoundsError
from marketsim.reference import (
    optimize_entry_exit_multipliers_with_callback,
    optimize_single_parameter,
    run_bounded_optimizer,
)


def hill(h: float, l: float) -> float:
    return 1 - (h - 0.01) ** 2 - (l + 0.02) ** 2


def bowl(x: Sequence[float]) -> float:
    return float(sum((each - 0.1 * i) ** 2 for i, each in enumerate(x)))


def test_a_profit_function_of_ones_own() -> None:
    h, l, profit = optimize_entry_exit_multipliers_with_callback(hill, maxiter=30)
    assert (h, l, profit) == pytest.approx((0.01, -0.02, 1), abs=1e-4)
    assert (h, l, profit) == optimize_entry_exit_multipliers_with_callback(hill, maxiter=30)
    edge = optimize_entry_exit_multipliers_with_callback(lambda h, l: h + l, bounds=((-1, 1), (-1, 0)), maxiter=20)
    assert edge == pytest.approx((1, 0, 1), abs=1e-6)


def test_it_is_the_search_of_the_reference() -> None:
    found = optimize.differential_evolution(
        lambda x: -hill(*x), [(-0.03, 0.03)] * 2, maxiter=3, popsize=4, atol=1e-5, seed=7
    )
    ours = optimize_entry_exit_multipliers_with_callback(hill, maxiter=3, popsize=4, seed=7)
    assert ours == pytest.approx((*found.x, -found.fun), abs=0)


def test_other_processes_can_be_sent_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = []
    search = optimize.differential_evolution
    monkeypatch.setattr(
        optimize,
        "differential_evolution",
        lambda loss, *args, **options: sent.append((loss, options)) or search(loss, *args),
    )
    optimize_entry_exit_multipliers_with_callback(hill, workers=2)
    ((loss, options),) = sent
    assert ForkingPickler.dumps(loss)
    assert (options["workers"], options["updating"]) == (2, "deferred")


def test_one_parameter() -> None:
    x, profit = optimize_single_parameter(lambda x: 1 - (x - 0.015) ** 2, maxiter=20)
    assert (x, profit) == pytest.approx((0.015, 1), abs=1e-4)
    assert optimize_single_parameter(lambda x: x, bounds=(0, 2))[0] == pytest.approx(2)


@pytest.mark.parametrize(
    ("variable", "value", "evaluations"), [(None, "", 240), ("MARKETSIM_FAST_OPTIMIZE", "YES", 100)]
)
def test_direct_has_its_evaluations(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, value: str, evaluations: int
) -> None:
    if variable:
        monkeypatch.setenv(variable, value)
    calls = []
    x, loss = run_bounded_optimizer(
        lambda x: calls.append(x) or bowl(x),  # type: ignore[func-returns-value]
        [(-1, 1)] * 3,
        maxiter=30,
        popsize=8,
    )
    assert evaluations <= len(calls) <= evaluations + 60
    assert x == pytest.approx((0, 0.1, 0.2), abs=0.1) and loss == bowl(x)


def test_differential_evolution_by_wish_and_where_direct_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKETSIM_USE_DIRECT_OPTIMIZER", "0")
    wished = run_bounded_optimizer(bowl, [(-1, 1)] * 2, maxiter=5)
    assert wished == run_bounded_optimizer(bowl, [(-1, 1)] * 2, maxiter=5)
    monkeypatch.delenv("MARKETSIM_USE_DIRECT_OPTIMIZER")

    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    assert run_bounded_optimizer(bowl, [(-1, 1)] * 2, maxiter=5) != wished
    monkeypatch.setattr(optimize, "direct", fails)
    assert run_bounded_optimizer(bowl, [(-1, 1)] * 2, maxiter=5) == wished


def test_wrong_bounds_are_refused() -> None:
    for bounds in ([], [(1, 0)], [(0, float("nan"))], [(0,)]):
        with pytest.raises(BoundsError):
            run_bounded_optimizer(bowl, bounds)  # type: ignore[arg-type]
    with pytest.raises(BoundsError):
        optimize_single_parameter(np.sin, bounds=(1, 0))
    with pytest.raises(BoundsError):
        optimize_entry_exit_multipliers_with_callback(hill, bounds=((0, 1), (1, 0)))
