"""Requests for forecasts."""

from __future__ import annotations

import numpy as np
from msgspec import Struct, field
from numpy.typing import NDArray

from marketsim.data.bars import Bars


def _none() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


class ForecastRequest(Struct, frozen=True, eq=False):
    """The forecasts that are wanted of one symbol, and those that a model may be chosen on."""

    bars: Bars
    origins: NDArray[np.int64]  # [N] bar indices, increasing
    selection_origins: NDArray[np.int64] = field(default_factory=_none)  # [M] the same, of bars before the walk's first
