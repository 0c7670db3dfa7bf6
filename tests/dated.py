"""Tables of profits as series with dates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from marketsim.results.dated_profits import DatedProfits


def dated(table: NDArray[np.float64]) -> Sequence[DatedProfits]:
    """The series of a table `[D, K]`, each on all D dates."""
    times = [f"{date:06d}" for date in range(len(table))]
    return [DatedProfits(times, profits) for profits in table.T]
