"""All that is claimed of models with weights, in one run. Run: scripts/bench models

Kronos and Toto against their vendors, what batches cost, and a blend against its best member. Random weights at real
sizes, but for fracast, whose weights come with its package.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import batches
import kronos
import torch
import toto_forecast

from marketsim.data import open_source
from marketsim.data.bars import Bars
from marketsim.data.walk_forward import make_walk
from marketsim.errors import Outcome, value_of
from marketsim.forecasting.blend import Blend
from marketsim.forecasting.forecasts import LEVELS, Forecasts, actual_moves
from marketsim.forecasting.model_forecaster import ModelForecaster
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.requests import ForecastRequest
from marketsim.forecasting.scores import pinball
from marketsim.models.fracast import Fracast
from marketsim.models.har import Har
from marketsim.models.options import Options
from marketsim.profiling import Clock
from marketsim.registry import VARIANTS

SIMULATIONS, WINDOW = 70, 60
ALLOWED = 1.003  # of the best member's loss


def blends() -> bool:
    torch.set_num_threads(1)
    blend = Blend((Har(), Fracast(VARIANTS["fracast"][0], Options(device="cpu"))))
    held = True
    for symbol in open_source("sample").symbols():
        ratio = relative_loss(blend, open_source("sample").load(symbol))
        held &= ratio <= ALLOWED
        print(f"blend:har,fracast on {symbol}: {ratio:.4f} of the best member's pinball loss, allowed {ALLOWED}")
    return held


def relative_loss(blend: Blend, bars: Bars) -> float:
    """The blend's loss on every bar of a walk that is known, over the least of its members', mean of the channels."""
    members: list[Forecasts] = []

    def make(model: Model, requests: Sequence[ForecastRequest]) -> list[Outcome[Forecasts]]:
        outcomes = ModelForecaster(model, None, Clock()).forecasts(requests)
        members.extend(map(value_of, outcomes))
        return outcomes

    walk = make_walk(len(bars), SIMULATIONS, WINDOW, blend.minimum_bars, bars.symbol)
    (outcome,) = blend.forecasts([ForecastRequest(bars, walk.origins)], make)
    blended = value_of(outcome)
    known = walk.origins[:-1]
    actual = actual_moves(bars, known)
    mine, *theirs = (
        pinball(forecast.moves[-len(walk.origins) : -1], actual, LEVELS).mean(0) for forecast in (blended, *members)
    )
    return float(max((mine / loss).mean() for loss in theirs))


def main() -> int:
    held = []
    for part in (kronos.main, toto_forecast.main):
        held.append(part() == 0)
        print()
    batches.main()
    print()
    held.append(blends())
    print("PASS" if all(held) else "FAIL: see above")
    return int(not all(held))


if __name__ == "__main__":
    sys.exit(main())
