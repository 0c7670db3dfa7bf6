"""Confidence sequences of a mean: intervals that hold after every bar at once.

An ordinary 95 % interval that is looked at every evening misses the mean on some evening far more often than in 5 % of
cases. A confidence sequence misses it on any evening, ever, in 5 % of cases.

What is assumed: profits are neither bounded nor equally spread, and their means may wander. The sequences here are the
asymptotic ones, which need finite variances, a bar whose mean given the past is what is asked about, and enough bars:
nothing is said on fewer than `LEAST`. They are not valid for infinite variances, nor where most of what is earned comes
from a few bars in a hundred.
Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas, "Time-uniform central limit theory and asymptotic confidence
sequences", Annals of Statistics 52(6), 2024.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr

from marketsim.results.significance import Interval

Floats = NDArray[np.float64]

ALPHA = 0.05
LEAST = 20  # bars before anything is said
TUNED = 100  # bars at which the sequences are narrowest


def running_interval(values: Floats) -> Interval | None:
    """The 95 % interval of the mean of `values` `[N]`, whose ends hold after every bar at once.

    With the mean m and the deviation s of N values,

        m +- s * sqrt(2 (N r + 1) / (N**2 r) * log(sqrt(N r + 1) / 0.05))

    where r is chosen to be narrow at `TUNED` bars (theorem 2.2 and its remark on r, in the paper above). It covers the
    mean of the values' means given the past.

    Parameters
    ----------
    values
        `[N]`, in any unit, in the order in which they came.

    Returns
    -------
    None for fewer than `LEAST` values.

    Examples
    --------
    >>> found = running_interval(np.tile([1.0, -1.0], 50))
    >>> round(found.low, 2), round(found.high, 2)
    (-0.31, 0.31)
    """
    count = len(values)
    if count < LEAST:
        return None
    mean, deviation = float(values.mean()), float(values.std(ddof=1))
    least = -2 * math.log(ALPHA)
    r = (least + math.log(least + 1)) / TUNED
    within = count * r + 1
    half = deviation * math.sqrt(2 * within / (count**2 * r) * math.log(math.sqrt(within) / ALPHA))
    return Interval(mean - half, mean + half)


def log_evidence(fallen: Floats, variance: Floats, tuned: float) -> Floats:
    """The log of the evidence that a mean is below another, after every bar.

    `fallen` `[N]` are estimates of how far it is below, whose errors have the `variance` `[N]`. Where it is not below,
    `S = fallen / variance` moves like a Brownian motion in the time `V = 1 / variance`, or falls, and the evidence

        2 sqrt(r / (V + r)) * exp(S**2 / (2 (V + r))) * Phi(S / sqrt(V + r))

    is the wealth of a fair or losing bet: that it ever exceeds E has a probability of 1 / E or less (Ville). It is the
    one-sided normal mixture of Howard, Ramdas, McAuliffe and Sekhon, "Time-uniform, nonparametric, nonasymptotic
    confidence sequences", Annals of Statistics 49(2), 2021, proposition 6; r is such that it is most sensitive where
    `variance` is `tuned`.
    """
    time, moved = 1 / variance, fallen / variance
    least = -2 * math.log(2 * ALPHA)
    r = 1 / (tuned * (least + math.log(1 + least)))
    within = time + r
    found: Floats = math.log(2) + 0.5 * np.log(r / within) + moved**2 / (2 * within) + log_ndtr(moved / np.sqrt(within))
    return found
