"""Scores of quantile forecasts: losses, coverage and PIT; pure functions of arrays."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Z = 1.959964  # normal quantile of 97.5 %


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


def crps(quantiles: NDArray[np.float64], actual: NDArray[np.float64], levels: Sequence[float]) -> NDArray[np.float64]:
    """Continuous ranked probability score `[...]` of `quantiles` `[..., Q]` against `actual` `[...]`, in their unit.

    That of the distribution whose quantiles lie straight between those that are given, and beyond the outermost ones on
    the same lines. With `q` the quantile function,

        CRPS = 2 * integral over a in (0, 1) of ([y <= q(a)] - a) (q(a) - y) da

    piece by piece in closed form (F. Laio and S. Tamea, Hydrology and Earth System Sciences 11(4), 2007).

    Examples
    --------
    >>> uniform = np.array([0.25, 0.5, 0.75])
    >>> float(crps(uniform, np.array(0.5), uniform).round(4))  # 1 / 12, that of a uniform distribution at its middle
    0.0833
    """
    level = np.array([0.0, *levels, 1.0])
    within = np.diff(quantiles) / np.diff(level[1:-1])
    slope = np.concatenate([within[..., :1], within, within[..., -1:]], -1)
    width, start = np.diff(level), level[:-1]
    first = quantiles[..., :1] - width[0] * slope[..., :1]
    gap = (
        np.concatenate([first, quantiles], -1) - actual[..., None]
    )  # q(a) - y = gap + slope * u, u from 0 to the width
    with np.errstate(divide="ignore", invalid="ignore"):
        meets = np.where(slope > 0, -gap / slope, np.where(gap < 0, np.inf, 0.0))
    meets = np.clip(meets, 0.0, width)  # from where on the truth lies below
    above = gap * (width - meets) + slope * (width**2 - meets**2) / 2
    weighted = start * gap * width + (start * slope + gap) * width**2 / 2 + slope * width**3 / 3
    score: NDArray[np.float64] = 2 * (above - weighted).sum(-1)
    return score


def places(quantiles: NDArray[np.float64], actual: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares `[C, Q + 1]` of `actual` `[N, C]` below, between and above the `quantiles` `[N, C, Q]`.

    It is the histogram of the probability integral transform, flat where the quantiles are right (A. Dawid, Journal of
    the Royal Statistical Society A 147(2), 1984). What equals one or several quantiles counts in equal parts on all
    sides of them.
    """
    least, most = (quantiles < actual[..., None]).sum(-1), (quantiles <= actual[..., None]).sum(-1)
    place = np.arange(quantiles.shape[-1] + 1)
    within = (least[..., None] <= place) & (place <= most[..., None])
    shares: NDArray[np.float64] = (within / (most - least + 1)[..., None]).mean(0)
    return shares


def share_interval(share: float, count: int) -> tuple[float, float]:
    """The ends of the 95 % interval of a share that was seen in `count` independent cases (Wilson 1927)."""
    spread = Z**2 / count
    middle = (share + spread / 2) / (1 + spread)
    half = Z * math.sqrt(share * (1 - share) / count + spread / (4 * count)) / (1 + spread)
    return max(middle - half, 0.0), min(middle + half, 1.0)
