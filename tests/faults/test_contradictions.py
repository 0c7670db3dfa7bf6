"""No forecast contradicts itself: a high is never below an open or close, a low never above, in any quantile."""

from __future__ import annotations

import numpy as np
import pytest

from marketsim.backtesting import pipeline
from marketsim.errors import value_of
from marketsim.forecasting.forecasts import CLOSE, HIGH, LOW, OPEN
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings


@pytest.mark.parametrize("model", ["last-bar", "rolling-quantile", "har", "blend:har,last-bar", "auto:har,last-bar"])
@pytest.mark.parametrize("symbol", ["ETHUSD", "NVDA"])
def test_every_quantile_of_a_run_is_coherent(symbol: str, model: str) -> None:
    settings = Settings.of(sims=60, window=60, model=model, strategy="entry-exit", cache="off")
    (run,) = pipeline.run([symbol], settings, Clock())
    moves = value_of(run.outcome).forecasts.moves
    assert len(moves) > 100 and np.isfinite(moves).all()
    for channel in (OPEN, CLOSE):
        assert (moves[:, HIGH] >= moves[:, channel]).all()
        assert (moves[:, LOW] <= moves[:, channel]).all()
