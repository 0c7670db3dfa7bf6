"""Interpolation of quantiles at other levels."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import LARGEST_MOVE, LEAST_MOVE, LEVELS

Floats = NDArray[np.float64]


def at_our_levels(quantiles: Floats, levels: Sequence[float]) -> Floats:
    """Quantiles `[N, C, Q]` at LEVELS from those `[N, C, K]` at increasing `levels`; NaN where not even two are known.

    What is there already stays as it is, to the bit. Between two levels, and beyond the outermost, quantiles are linear
    in the quantiles of a normal, so that they rise where the known ones do and tails go on as a normal's.

    >>> ends = np.array([[[-0.02, 0.02]]])
    >>> at_our_levels(ends, [0.1, 0.9])[0, 0, [0, 4, 8]].tolist()
    [-0.02, 0.0, 0.02]
    """
    found = np.full((*quantiles.shape[:2], len(LEVELS)), np.nan)
    known = ~np.isnan(quantiles)
    scores = np.array([NormalDist().inv_cdf(level) for level in levels])
    for pattern in np.unique(known.reshape(-1, len(levels)), axis=0):
        there = np.flatnonzero(pattern).tolist()
        if len(there) >= 2:
            rows = (known == pattern).all(-1)
            found[rows] = _filled(quantiles[rows][:, there], scores[there], [levels[at] for at in there])
    return found


def _filled(values: Floats, scores: Floats, levels: Sequence[float]) -> Floats:
    """Values `[R, Q]` at LEVELS from those `[R, K]` at `levels`, whose normal quantiles are `scores` `[K]`."""
    columns = []
    for level in LEVELS:
        if level in levels:
            columns.append(values[:, levels.index(level)])
            continue
        score = NormalDist().inv_cdf(level)
        left = min(max(int(np.searchsorted(scores, score)) - 1, 0), len(scores) - 2)
        share = (score - scores[left]) / (scores[left + 1] - scores[left])
        columns.append(values[:, left] + share * (values[:, left + 1] - values[:, left]))
    return np.clip(np.stack(columns, -1), LEAST_MOVE, LARGEST_MOVE)
