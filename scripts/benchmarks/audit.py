"""What the audit at first use adds to the first run of a model from outside. Run: scripts/bench audit

The model is fracast in an object of one's own, on the 131 origins of `backtest ETHUSD --sims 70`. Processor time of one
thread: that of the audit, over that of everything else that the forecasts take.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

from marketsim.backtesting import pipeline
from marketsim.data import open_source
from marketsim.errors import value_of
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


class ProcessorClock:
    """Times the audit, and all of the forecasts, by the processor."""

    def __init__(self) -> None:
        self.audit = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        start = time.process_time()
        yield
        if name == "forecast/audit":
            self.audit += time.process_time() - start


def main() -> int:
    torch.set_num_threads(1)
    fracast: Any = pipeline.open_tools(Settings.of(model="fracast", device="cpu"), Clock()).model
    model = adopt(Outside(fracast))
    tools = pipeline.Tools(open_source("sample"), model, pipeline.open_optimizer("exact", "cpu"), None)
    request = value_of(pipeline.prepare("ETHUSD", SETTINGS.bars, SETTINGS.walk, tools, Clock())).request
    clock: Any = ProcessorClock()
    forecaster = pipeline.open_forecaster(model, None, SETTINGS, clock, lambda *_: None, [])
    start = time.process_time()
    value_of(forecaster.forecasts([request])[0])
    added = clock.audit / (time.process_time() - start - clock.audit)
    print(f"{len(request.origins)} origins of fracast: the audit at first use adds {added:.1%} (allowed {ALLOWED:.0%})")
    print("PASS" if added <= ALLOWED else "FAIL")
    return int(added > ALLOWED)


if __name__ == "__main__":
    sys.exit(main())
