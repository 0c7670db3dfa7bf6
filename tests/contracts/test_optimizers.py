"""What every optimiser of the registry must keep to."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim import registry
from marketsim.fills import stack
from marketsim.optimizers import Optimizer
from marketsim.surface import evaluate, maximise
from tests.problems import make_bars, terms_of
from tests.reference import Rules

PROBLEMS = stack(
    [
        terms_of(make_bars(seed, 20, "continuous", True, False), Rules(0.0015, 0.0005, "touch", eod))
        for seed in range(3)
        for eod in (False, True)
    ]
)


@pytest.fixture(params=list(registry.OPTIMIZERS))
def optimizer(request: pytest.FixtureRequest) -> Optimizer:
    made: Optimizer = registry.load(registry.OPTIMIZERS, "optimizer", request.param)()
    return made


@pytest.mark.parametrize("bounds", [((-0.03, 0.03), (-0.03, 0.03)), ((0.0, 0.01), (-0.02, -0.01))])
def test_stays_inside_the_bounds_attains_what_it_claims_and_never_beats_the_optimum(
    optimizer: Optimizer, bounds: tuple[tuple[float, float], tuple[float, float]]
) -> None:
    found = optimizer.fit(PROBLEMS, bounds, 1)
    h, l = found.high_multiplier, found.low_multiplier
    assert h.shape == l.shape == found.profit.shape == (6,)
    assert ((bounds[0][0] <= h) & (h <= bounds[0][1]) & (bounds[1][0] <= l) & (l <= bounds[1][1])).all()
    np.testing.assert_allclose(evaluate(PROBLEMS, h[:, None], l[:, None])[:, 0], found.profit, atol=1e-14)
    assert (found.profit <= maximise(PROBLEMS, bounds).profit + 1e-4).all()
    assert found.fallbacks == 0


def test_the_same_seed_gives_the_same_answer_whatever_else_is_fitted(optimizer: Optimizer) -> None:
    bounds = ((-0.03, 0.03), (-0.03, 0.03))
    together = optimizer.fit(PROBLEMS, bounds, 7)
    alone = optimizer.fit(PROBLEMS.at(np.array([4])), bounds, 7)
    assert together.high_multiplier[4] == alone.high_multiplier[0]
    assert together.low_multiplier[4] == alone.low_multiplier[0]
