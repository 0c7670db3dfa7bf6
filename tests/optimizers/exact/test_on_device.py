"""The exact fit on tensors: the CPU's here, a GPU's where there is one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketsim.backtesting import pipeline
from marketsim.data.sample import SampleSource
from marketsim.errors import UsageError
from marketsim.execution.fills import profit_terms
from marketsim.execution.floor import Floor
from marketsim.execution.profit_terms import TIE, Costs, Levels, Outcomes, ProfitTerms
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.candidates import Bounds
from marketsim.optimizers.exact.maximum import Optimum
from marketsim.profiling import Clock
from marketsim.settings.choices import FILLS
from marketsim.settings.settings import Settings
from tests.execution.replay import arrays
from tests.execution.test_finer_fills import days
from tests.optimizers.exact.test_maximum import make_lattice
from tests.oracle import Bar, Rules
from tests.problems import BOUNDS, any_rules, bars_of_any_kind, make_bars, terms_of

pytest.importorskip("torch", reason="torch is not installed")

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from marketsim.optimizers.exact import on_device
from marketsim.optimizers.exact.on_device import ExactOn

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
ON_TENSORS = ExactOn(torch.device("cpu"))


class Counted(TorchDispatchMode):
    """The operations on tensors, views included, and those among them for which a device has to be waited for."""

    WAITS = ("_local_scalar_dense", "nonzero", "masked_select", "repeat_interleave", "_unique2", "unique_dim", "equal")

    def __init__(self) -> None:
        super().__init__()
        self.operations = self.waits = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func.overloadpacket.__name__
        by_mask = name.startswith("index") and any(
            index is not None and index.dtype == torch.bool for index in (args[1] if isinstance(args[1], list) else ())
        )
        self.operations += 1
        self.waits += name in self.WAITS or by_mask
        return func(*args, **(kwargs or {}))


any_bounds = st.sampled_from(
    [BOUNDS, ((-0.01, 0.04), (-0.05, 0.0)), ((0.01, 0.02), (-0.02, -0.005)), ((0.01, 0.01), (-0.02, 0.0))]
)


def assert_same(found: Optimum, expected: Optimum) -> None:
    for name in ("profit", "high_multiplier", "low_multiplier"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=0, atol=TIE + 1e-15)


def assert_solved(terms: ProfitTerms, bounds: Bounds = BOUNDS) -> None:
    assert_same(ON_TENSORS.maximum(terms, bounds), Exact().maximum(terms, bounds))


@settings(max_examples=80)
@given(bars_of_any_kind(), any_rules(), any_bounds)
def test_few_bars(bars: list[Bar], rules: Rules, bounds: Bounds) -> None:
    assert_solved(terms_of(bars, rules), bounds)


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 6), st.integers(1, 6), st.integers(1, 3))
def test_any_lattice_of_weights(seed: int, bars: int, upper: int, lower: int, legs: int) -> None:
    made = (make_lattice(seed + i, bars, upper, lower, mirrored=i == 1) for i in range(2) if legs >> i & 1)
    assert_solved(ProfitTerms(tuple(made)))


@pytest.mark.parametrize("fill", FILLS)
@settings(max_examples=20, deadline=None)
@given(given_days=st.lists(days(), min_size=1, max_size=4), shortable=st.booleans())
def test_staircases_of_finer_bars(fill: str, given_days: list[Any], shortable: bool) -> None:
    levels, did = arrays(given_days)
    assert_solved(profit_terms(levels, did, Costs(0.001, 0.0005), fill, shortable).at(None))


def problems(fill: str, shortable: bool = True, count: int = 12) -> ProfitTerms:
    """Windows of 12 bars of every kind, some of which never place a leg, or none."""
    kinds = ("continuous", "lattice", "duplicated", "knife-edge")
    rules = Rules(0.0015, 0.0005, fill, False)
    made = [terms_of(make_bars(seed, count, kinds[seed % 4], shortable, seed % 3 == 0), rules) for seed in range(12)]
    orders = np.random.default_rng(1).random((12, 1)) < [0.2, 0.8, 1.0, 0.0] * 3
    return ProfitTerms.concatenate(made).sized(orders.repeat(count, 1)[:, :count].astype(float))


@pytest.mark.parametrize("fill", FILLS)
@pytest.mark.parametrize("shortable", [False, True])
def test_problems_of_all_kinds_at_once(fill: str, shortable: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """With take-profits, closed at the close, weighted by age, and without any order; in one part and in several."""
    aiming = problems(fill, shortable)
    weighted = aiming.sized(0.5 ** (np.arange(12)[::-1] / 4))
    terms = ProfitTerms.concatenate([aiming, aiming.at_close(), weighted])
    assert_solved(terms)
    monkeypatch.setattr(on_device, "MEMORY", 1 << 20)
    assert_solved(terms)


def test_above_a_floor() -> None:
    terms = problems("expected")
    floor = Floor(np.linspace(-0.01, 0.03, 12), np.linspace(0.0, -0.02, 12), 0.02)
    assert_same(ON_TENSORS.fit(terms, BOUNDS, 0, floor), Exact().fit(terms, BOUNDS, 0, floor))


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=GPU)])
@pytest.mark.parametrize("symbol", ["ETHUSD", "NVDA"])
def test_a_walk_on_tensors_is_the_walk_on_arrays(device: str, symbol: str) -> None:
    short, source = Settings.of(sims=12, window=25, cache="off", half_life=10), SampleSource()
    arrays, tensors = (
        pipeline.run_symbol(symbol, short, pipeline.Tools(source, Har(), optimizer, None), Clock())
        for optimizer in (Exact(), ExactOn(torch.device(device)))
    )
    for one, other in zip(arrays.strategies, tensors.strategies, strict=True):
        for name in ("in_sample", "high_multiplier", "low_multiplier"):
            np.testing.assert_allclose(getattr(one.fit, name), getattr(other.fit, name), rtol=0, atol=1e-12)


def test_strategies_and_policies_of_a_walk_are_fitted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """One download for all of them, and one for the windows that a closer surface prices, where they are any."""
    answers = []
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: answers.append(len(tensor)) or tensor)
    tools = pipeline.Tools(SampleSource(), Har(), ON_TENSORS, None)
    with Counted() as counted:
        pipeline.run_symbol("NVDA", Settings.of(sims=12, window=7, cache="off", fill="touch"), tools, Clock())
    assert answers == [4 * 13]
    assert counted.operations <= 200 and counted.waits == 0


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said() -> None:
    with pytest.raises(UsageError, match="--device cuda: not available here"):
        pipeline.run(["ETHUSD"], Settings.of(sims=12, window=25, cache="off", device="cuda"), Clock())


def walk_terms(count: int, window: int, fill: str, shortable: bool) -> ProfitTerms:
    """So many windows that overlap, and the same closed at the close."""
    rng = np.random.default_rng(1)
    path = np.cumsum(0.01 * rng.standard_normal((count + window - 1, 8)), axis=1)
    bars = Outcomes(path[:, 0], path.max(1), path.min(1), path[:, -1])
    ones = np.ones(len(path))
    levels = Levels(0.02 * ones, -0.02 * ones, 1e-4 * ones, 0.5 * ones)
    rows = np.arange(count)[:, None] + np.arange(window)
    terms = profit_terms(levels, bars, Costs(0.0005, 0.0005), fill, shortable).at(rows)
    return ProfitTerms.concatenate([terms, terms.at_close()])


@pytest.mark.parametrize(("count", "window"), [(5, 7), (71, 25), (300, 7), (5, 60)])
@pytest.mark.parametrize("fill", FILLS)
def test_a_device_is_sent_200_operations_however_many_problems_it_solves(
    fill: str, count: int, window: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With nothing asked in between, and one answer that comes back."""
    answers = []
    monkeypatch.setattr(torch.Tensor, "cpu", lambda tensor: answers.append(tensor.shape) or tensor)
    for shortable in (False, True):
        terms = walk_terms(count, window, fill, shortable)
        with Counted() as counted:
            ON_TENSORS.maximum(terms, BOUNDS)
        assert counted.operations <= 200
        assert counted.waits == 0
    assert answers == [(2 * count, 3)] * 2


@pytest.mark.parametrize("fill", FILLS)
def test_nothing_of_a_device_is_read_before_the_answer(fill: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tensors without values, of torch's device `meta`: whatever reads one of them, or copies it elsewhere, fails."""
    answers = []
    monkeypatch.setattr(torch.Tensor, "cpu", lambda found: answers.append(found.shape) or torch.zeros(found.shape))
    for shortable in (False, True):
        ExactOn(torch.device("meta")).maximum(walk_terms(5, 7, fill, shortable), BOUNDS)
    assert answers == [(10, 3)] * 2


def test_what_a_device_waits_for_is_counted() -> None:
    x = torch.arange(3.0)
    with Counted() as counted:
        x[x > 1], x.sum().item(), x.nonzero()
    assert counted.waits == 3
