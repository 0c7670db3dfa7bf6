"""Take-profit weights of bars with finer bars, by fill policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.lattices import Lattice, Precision, Probability
from marketsim.execution.profit_terms import Outcomes
from marketsim.execution.staircases import step_lattice
from marketsim.execution.stepped_surface import stepped_surface
from marketsim.settings.choices import EXPECTED

if TYPE_CHECKING:
    from marketsim.execution.fills import BarsOfLeg, Multipliers

Rows = NDArray[np.int64]


def lattice_of_finer_bars(bars: BarsOfLeg, fill: str, traded: Multipliers | None, precision: Precision) -> Lattice:
    """The weights of a fill policy for all multipliers, or exactly those at the ones `traded`."""
    bar, inside = bars.bar, bars.bar.inside
    assert inside is not None
    if traded is not None:
        upper, lower = bars.levels(traded)

        def probability(rows: Rows, entry: Rows) -> NDArray[np.float64]:
            return _finer(bars, rows, entry).probability(upper[rows], lower[rows])

        credit = inside.credited(fill, upper, lower, probability)
        return Lattice(bar.high[:, None], bar.low[:, None], credit[:, None, None])
    if fill != EXPECTED:
        return step_lattice(inside, fill, bars.upper_clip, bars.lower_clip)

    def in_finer_bars(rows: Rows, entry: Rows) -> tuple[Outcomes, Probability]:
        finer = _finer(bars, rows, entry)
        return finer.bar, finer.probabilities

    return stepped_surface(inside, bar.close, in_finer_bars, bars.upper_clip, bars.lower_clip, precision)


def _finer(bars: BarsOfLeg, rows: Rows, entry: Rows) -> BarsOfLeg:
    """One finer bar `entry` `[M]` of each of the bars `rows` `[M]`, as a bar of its own."""
    inside = bars.bar.inside
    assert inside is not None
    open, high, low, close, share = (
        array[rows, entry] for array in (inside.open, inside.high, inside.low, inside.close, inside.share)
    )
    some = bars.at(rows)
    return type(bars)(
        some.mirrored,
        Outcomes(open, high, low, close),
        some.upper_move,
        some.lower_move,
        some.variance * share,
        some.spread,
    )
