"""The exact fit on tensors: the CPU's here, a GPU's where there is one."""

from collections import Counter
from typing import Any

import numpy as np
import pytest

from marketsim.backtesting import pipeline
from marketsim.data.sample import SampleSource
from marketsim.errors import UsageError
from marketsim.execution.fills import profit_terms
from marketsim.execution.profit_terms import Costs, Levels, Outcomes
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings

pytest.importorskip("torch", reason="torch is not installed")

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from marketsim.optimizers.exact.on_device import ExactOn

GPU = pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
SETTINGS = Settings.of(sims=12, window=25, cache="off")


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=GPU)])
@pytest.mark.parametrize("symbol", ["ETHUSD", "NVDA"])
def test_a_walk_on_tensors_is_the_walk_on_arrays(device, symbol):
    source = SampleSource()
    arrays, tensors = (
        pipeline.run_symbol(symbol, SETTINGS, pipeline.Tools(source, Har(), optimizer, None), Clock())
        for optimizer in (Exact(), ExactOn(torch.device(device)))
    )
    for one, other in zip(arrays.strategies, tensors.strategies, strict=True):
        np.testing.assert_allclose(one.fit.in_sample, other.fit.in_sample, rtol=0, atol=1e-12)
        for name in ("high_multiplier", "low_multiplier"):
            np.testing.assert_allclose(getattr(one.fit, name), getattr(other.fit, name), rtol=0, atol=1e-12)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_a_gpu_that_is_not_there_is_said():
    with pytest.raises(UsageError, match="--device cuda: there is none here"):
        pipeline.run(["ETHUSD"], SETTINGS.replace(device="cuda"), Clock())


class Counted(TorchDispatchMode):
    """The operations on tensors, by name: each is a launch on a device."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.calls[func.overloadpacket.__name__] += 1
        return func(*args, **(kwargs or {}))


def operations(problems: int, fill: str) -> Counter[str]:
    """Those of a fit of so many windows of 20 bars, both legs on each."""
    rng = np.random.default_rng(1)
    path = np.cumsum(0.01 * rng.standard_normal((problems + 19, 8)), axis=1)
    bars = Outcomes(path[:, 0], path.max(1), path.min(1), path[:, -1])
    ones = np.ones(len(path))
    levels = Levels(0.02 * ones, -0.02 * ones, 1e-4 * ones, 0.5 * ones)
    rows = np.arange(problems)[:, None] + np.arange(20)
    terms = profit_terms(levels, bars, Costs(0.0005, 0.0005), fill, True).at(rows)
    with Counted() as counted:
        ExactOn(torch.device("cpu")).fit(terms, ((-0.03, 0.03), (-0.03, 0.03)), 0)
    return counted.calls


@pytest.mark.parametrize(("fill", "most"), [("touch", 700), ("provable", 1000), ("expected", 1700)])
def test_a_device_is_sent_no_more_operations_for_more_problems(fill, most):
    few, many = (operations(problems, fill) for problems in (20, 100))
    assert sum(many.values()) <= min(most, 1.1 * sum(few.values()))
    waits = {name: many[name] for name in ("_local_scalar_dense", "nonzero")}
    assert sum(waits.values()) <= 14, waits
