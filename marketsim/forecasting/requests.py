"""Which forecasts are asked for."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from marketsim.data.bars import Bars


def _none() -> NDArray[np.int64]:
    return np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ForecastRequest:
    """The forecasts that are wanted of one symbol, and those that a model may be chosen on."""

    bars: Bars
    origins: NDArray[np.int64]  # [N] bar indices, increasing
    selection_origins: NDArray[np.int64] = field(default_factory=_none)  # [M] the same, of bars before the walk's first
