"""The gate: a simulation stands aside if the profits of its window are too uncertain."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def stands_aside(t: NDArray[np.float64], min_t: float) -> NDArray[np.bool_]:
    """Where `t` `[B]` is below `min_t`, and where it is NaN: no levels can earn the costs. Of zero only the latter."""
    return np.isnan(t) | (t < min_t if min_t > 0 else np.zeros(len(t), bool))
