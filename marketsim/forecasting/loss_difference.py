"""The significance of a difference between two forecasts' losses."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

LEAST = 10  # losses that a test needs
SIZE = 0.05  # of the test: how often it tells two forecasts apart that are equally good

Verdict = Literal["better", "worse", "chance", "same"]


class LossDifference(Struct, frozen=True):
    """What the losses of a forecast are beside those of another one on the same bars."""

    skill: float  # the share of the other's mean loss that is saved; negative where there is more
    statistic: float | None  # negative where the loss is lower; None where nothing can be tested
    p: float | None  # two-sided

    @property
    def verdict(self) -> Verdict:
        """The difference in a word: "chance" where it cannot be told from none, "same" where there is none at all."""
        if self.skill == 0 and self.statistic is None:
            return "same"
        if self.p is None or self.p > SIZE:
            return "chance"
        return "better" if self.skill > 0 else "worse"


def compare_losses(losses: NDArray[np.float64], others: NDArray[np.float64], ahead: int = 1) -> LossDifference:
    """The test of Diebold and Mariano on the losses `[N]` of two forecasts of the same bars, oldest first.

    Forecasts of the bar `ahead` overlap on `ahead - 1` bars, whose autocovariances count in the variance of the mean;
    forecasts of the next bar do not overlap. With Harvey's correction for few bars, against Student's t with N - 1
    degrees of freedom. No test below 10 bars, nor where the variance comes out as nothing or less.

    Sources: F. Diebold and R. Mariano, "Comparing Predictive Accuracy", Journal of Business and Economic Statistics
    13(3), 1995; D. Harvey, S. Leybourne and P. Newbold, "Testing the Equality of Prediction Mean Squared Errors",
    International Journal of Forecasting 13(2), 1997.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> losses = rng.exponential(size=200)
    >>> compare_losses(losses, losses + rng.normal(0.1, 0.2, 200)).verdict
    'better'
    """
    count, difference = len(losses), losses - others
    other = float(others.mean())
    skill = -float(difference.mean()) / other if other else 0.0
    centered = difference - difference.mean()
    covariances = [float(centered[k:] @ centered[: count - k]) / count for k in range(min(ahead, count))]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / count
    if count < LEAST or variance <= (1e-12 * other) ** 2:
        return LossDifference(skill, None, None)
    corrected = math.sqrt((count + 1 - 2 * ahead + ahead * (ahead - 1) / count) / count)
    statistic = corrected * float(difference.mean()) / math.sqrt(variance)
    from scipy.special import stdtr

    return LossDifference(skill, statistic, float(2 * stdtr(count - 1, -abs(statistic))))
