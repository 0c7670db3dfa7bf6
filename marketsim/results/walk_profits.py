"""What strategies earned bar by bar, in plain values: what is compared when symbols have come together."""

from __future__ import annotations

import numpy as np

from marketsim.results.pooling import DatedProfits
from marketsim.results.rows import Row
from marketsim.settings.choices import EXPECTED, TOUCH


class WalkProfits(Row, frozen=True):
    """Profits of a symbol's strategies on its evaluated bars, oldest first."""

    times: list[str]
    clean: list[bool]  # whether the model cannot have seen the bar, or the user vouches for that
    headline: dict[str, list[float]]  # by strategy, by the fill policy of the run
    deciding: dict[str, list[float]]  # by the policy that a decision rests on

    def all_bars(self, strategy: str) -> DatedProfits:
        """What a strategy earned on all bars, by the policy that a decision rests on."""
        return DatedProfits(self.times, np.array(self.deciding[strategy]))

    def clean_bars(self, strategy: str) -> DatedProfits:
        """What a decision about a strategy rests on."""
        clean = np.array(self.clean, bool)
        times = [time for time, kept in zip(self.times, self.clean, strict=True) if kept]
        return DatedProfits(times, np.array(self.deciding[strategy])[clean])


def deciding_fill(fill: str) -> str:
    """The fill policy that a decision rests on: `touch` books what no bar proves and earns on noise."""
    return EXPECTED if fill == TOUCH else fill
