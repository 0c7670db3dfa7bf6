"""DIRECT, and what happens when it fails."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import optimize

from marketsim.backtesting import pipeline
from marketsim.errors import value_of
from marketsim.optimizers.differential_evolution import DifferentialEvolution
from marketsim.optimizers.direct import Direct
from marketsim.profiling import Clock
from marketsim.results.document import symbol_document
from marketsim.settings.settings import Settings
from tests.oracle import Rules
from tests.problems import BOUNDS, make_bars, terms_of


def fail(*args: Any, **options: Any) -> Any:
    raise ValueError("no")


def find_nothing(*args: Any, **options: Any) -> Any:
    return optimize.OptimizeResult(x=np.full(2, np.nan), fun=np.nan)


@pytest.mark.parametrize("failure", [fail, find_nothing])
def test_a_failed_problem_is_fitted_by_differential_evolution_and_counted(
    failure: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = terms_of(make_bars(1, 20, "continuous", False, False), Rules(0.0015, 0.0005, "touch", False))
    expected = DifferentialEvolution().fit(problem, BOUNDS, 3)
    monkeypatch.setattr(optimize, "direct", failure)
    found = Direct().fit(problem, BOUNDS, 3)
    assert found.fallbacks == 1
    assert found.profit[0] == expected.profit[0]


def test_the_document_counts_the_fallbacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optimize, "direct", fail)
    settings = Settings.of(sims=1, window=5, optimizer="direct", strategy="always-on", cache="off")
    (run,) = pipeline.run(["ETHUSD"], settings, Clock())
    facts = symbol_document(value_of(run.outcome)).optimizer
    assert (facts.name, facts.fits, facts.fallbacks) == ("direct", 4, 4)
