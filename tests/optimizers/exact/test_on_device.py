"""The exact fit on tensors: the CPU's here, a GPU's where there is one."""

import numpy as np
import pytest
import torch

from marketsim.backtesting import pipeline
from marketsim.data.sample import SampleSource
from marketsim.errors import UsageError
from marketsim.models.har import Har
from marketsim.optimizers.exact import Exact
from marketsim.optimizers.exact.on_device import ExactOn
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings

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
