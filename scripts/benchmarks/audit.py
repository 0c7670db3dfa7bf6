"""What the audit at first use adds to the first run of a model from outside. Run: scripts/bench audit [RUNS]

The model is fracast in an object of one's own, on the 131 origins of `backtest ETHUSD --sims 70`. Both runs forecast
all of them, one audits too; processor time of one thread, best of interleaved runs.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import torch

from marketsim.backtesting import pipeline
from marketsim.data import open_source
from marketsim.errors import value_of
from marketsim.forecasting.contexts import Contexts
from marketsim.forecasting.requests import ForecastRequest
from marketsim.models.own import adopt
from marketsim.profiling import Clock
from marketsim.settings.settings import Settings

ALLOWED = 0.05
SETTINGS = Settings.of(cache="off")


class Outside:
    """fracast, as if somebody else had brought it."""

    def __init__(self, model: Any) -> None:
        self.model, self.parameters = model, dict(model.parameters)
        self.context, self.minimum_bars, self.batch = model.context, model.minimum_bars, model.batch

    def forecast(self, contexts: Any, times: Any) -> Any:
        return np.sort(self.model.forecast(contexts, times), axis=-1)


def _context(request: ForecastRequest) -> tuple[Any, Any]:
    """One context, and its stamps."""
    contexts = Contexts.of(request.bars, request.origins[:1], 64)
    bars, times = contexts.at(0)
    return bars[None], times[None]


def main(runs: int) -> int:
    torch.set_num_threads(1)
    fracast = pipeline.open_tools(Settings.of(model="fracast", device="cpu"), Clock()).model
    model = adopt(Outside(fracast))
    tools = pipeline.Tools(open_source("sample"), model, pipeline.open_optimizer("exact", "cpu"), None)
    request = value_of(pipeline.prepare("ETHUSD", SETTINGS.bars, SETTINGS.walk, tools, Clock())).request

    def seconds(audited: bool) -> float:
        forecaster = pipeline.open_forecaster(model, None, SETTINGS, Clock(), lambda *_: None, [])
        if not audited:
            forecaster.first_use = None
        start = time.process_time()
        value_of(forecaster.forecasts([request])[0])
        return time.process_time() - start

    model.forecast(*_context(request))  # it is loaded
    pairs = np.array([(seconds(True), seconds(False)) for _ in range(runs)])
    added = float(pairs[:, 0].min() / pairs[:, 1].min() - 1)
    print(f"{len(request.origins)} origins of fracast: the audit at first use adds {added:.1%} (allowed {ALLOWED:.0%})")
    print("PASS" if added <= ALLOWED else "FAIL")
    return int(added > ALLOWED)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
