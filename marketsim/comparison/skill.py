"""A model's loss relative to a baseline's, and the significance of the difference."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import CLOSE, HIGH, LOW
from marketsim.forecasting.loss_difference import LossDifference, Verdict, compare_losses
from marketsim.results.rows import Row, Share

TRADED = (HIGH, LOW, CLOSE)  # the open is not traded


class SkillRow(Row, frozen=True):
    """Quantile loss beside a baseline's on the same bars, and the test of Diebold and Mariano of the difference."""

    against: str
    skill: float  # share of the baseline's loss that is saved
    statistic: float | None  # negative where the loss is lower; None where nothing can be tested
    p: Share | None  # two-sided
    verdict: Verdict

    @classmethod
    def of(cls, against: str, found: LossDifference) -> SkillRow:
        """The row of a difference from the losses of `against`."""
        return cls(against=against, skill=found.skill, statistic=found.statistic, p=found.p, verdict=found.verdict)


def skill_together(against: str, losses: NDArray[np.float64], others: NDArray[np.float64]) -> SkillRow:
    """The skill on high, low and close of losses `[N, 4]`, each in units of the mean of the `others` `[N, 4]`."""
    mine, theirs = losses[:, TRADED], others[:, TRADED]
    unit = np.maximum(theirs.mean(0), np.finfo(np.float64).tiny)
    return SkillRow.of(against, compare_losses((mine / unit).mean(1), (theirs / unit).mean(1)))
