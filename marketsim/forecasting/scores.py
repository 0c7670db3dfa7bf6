"""How good quantile forecasts are: loss and coverage, pure functions of arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def pinball(
    quantiles: NDArray[np.float64], actual: NDArray[np.float64], levels: Sequence[float]
) -> NDArray[np.float64]:
    """Mean quantile loss `[...]` of `quantiles` `[..., Q]` at `levels` against `actual` `[...]`, in their unit.

    Koenker and Bassett, "Regression Quantiles", Econometrica 46(1), 1978.
    """
    error, level = actual[..., None] - quantiles, np.asarray(levels)
    loss: NDArray[np.float64] = np.maximum(level * error, (level - 1) * error).mean(-1)
    return loss


def covered(quantiles: NDArray[np.float64], actual: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether `actual` `[...]` lies between the outermost of the `quantiles` `[..., Q]`, both included."""
    inside: NDArray[np.bool_] = (quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1])
    return inside
