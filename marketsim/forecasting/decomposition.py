"""The parts of a loss: miscalibration, resolution, and uncertainty that no forecast can remove."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.forecasting.scores import pinball

Array = NDArray[np.float64]


class Decomposition(Struct, frozen=True):
    """A mean quantile loss, which is `calibration - resolution + uncertainty`; each is zero or more."""

    calibration: float  # what the best rising function of the same forecasts would save
    resolution: float  # what such a function saves, against always saying the same
    uncertainty: float  # the loss of the one quantile that would have been best


def decompose(quantiles: Array, actual: Array, levels: Sequence[float]) -> Decomposition:
    """The loss of `quantiles` `[N, Q]` at `levels` against `actual` `[N]`, mean of the levels, in its parts.

    Murphy's partition of a score, for quantiles: forecasts are calibrated afterwards by isotonic regression (T.
    Gneiting et al., "Model Diagnostics and Forecast Evaluation for Quantiles", Annual Review of Statistics and Its
    Application 10, 2023). Afterwards means that a few bars look better than they are.
    """
    best = np.stack([isotonic_quantiles(quantiles[:, q], actual, level) for q, level in enumerate(levels)], 1)
    flat = np.broadcast_to([_quantile(np.sort(actual).tolist(), level) for level in levels], quantiles.shape)
    loss, calibrated, uninformed = (
        float(pinball(forecast, actual, levels).mean()) for forecast in (quantiles, best, flat)
    )
    return Decomposition(loss - calibrated, uninformed - calibrated, uninformed)


def isotonic_quantiles(forecasts: Array, actual: Array, level: float) -> Array:
    """The rising function of `forecasts` `[N]`, at each of them, whose quantile loss against `actual` `[N]` is least.

    Neighbours whose quantiles fall are pooled until none do.
    """
    order = np.argsort(forecasts, kind="stable")
    starts = np.flatnonzero(np.diff(forecasts[order], prepend=-np.inf))  # equal forecasts are one
    pools: list[list[float]] = []
    values: list[float] = []
    for pool in np.split(actual[order], starts[1:]):
        pools.append(sorted(pool.tolist()))
        values.append(_quantile(pools[-1], level))
        while len(values) > 1 and values[-2] >= values[-1]:
            pools[-2:] = [sorted(pools[-2] + pools[-1])]
            values[-2:] = [_quantile(pools[-1], level)]
    found = np.empty(len(actual))
    found[order] = np.repeat(values, [len(pool) for pool in pools])
    return found


def _quantile(ordered: Sequence[float], level: float) -> float:
    """The least of those quantiles of ordered values whose loss is least."""
    return ordered[math.ceil(level * len(ordered) - 1e-9) - 1]
