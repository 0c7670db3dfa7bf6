"""The input sent to a device: tables of bars, the bars of every problem, and the sizes of its arrays."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from marketsim.optimizers.exact.candidates import Bounds, Interval
from marketsim.optimizers.exact.leg_table import LegTable, count_ends
from marketsim.optimizers.exact.maximum import STEP
from marketsim.optimizers.exact.placed_leg import PlacedLeg, Rows

Floats = NDArray[np.float64]


class DeviceProblems(Struct, frozen=True):
    """Problems with orders, those with take-profits first."""

    bounds: Bounds
    number: Rows  # [B] what each of them was called
    aiming: int  # how many have take-profits
    legs: tuple[PlacedLeg, ...]
    tables: tuple[LegTable, ...]
    beside: Floats  # [B] how far from a jump there is a candidate on its other side
    fixed: tuple[Floats, Floats]  # candidates of h and of l that all of them have
    most: tuple[int, int]  # candidates that any of them has

    @classmethod
    def of(cls, legs: Sequence[PlacedLeg], bounds: Bounds) -> DeviceProblems | None:
        """None where no problem has an order."""
        legs = [leg for leg in legs if leg.rows.shape[1]]
        if not legs:
            return None
        placed = np.stack([leg.placed for leg in legs])
        aims = np.any([leg.total(leg.leg.weight.any((1, 2))) > 0 for leg in legs], axis=0)
        number = np.argsort(~aims, kind="stable")
        number = number[np.asarray(placed.any(0))[number]]
        legs = [leg.at(number) for leg in legs]
        interpolated = any(leg.leg.interpolated for leg in legs)
        meeting = np.asarray(placed.all(0))[number] & (len(legs) > 1)
        beside = np.where(meeting, 0.0, STEP if interpolated else np.inf)
        tables = tuple(LegTable.of(leg.leg, bounds, STEP) for leg in legs)
        fixed = _fixed(bounds[0], bounds[0][1], interpolated), _fixed(bounds[1], bounds[1][0], interpolated)
        count = np.zeros((2, len(number)), int)
        for leg, table in zip(legs, tables, strict=True):
            of_upper, of_lower = (count[1], count[0]) if table.mirrored else (count[0], count[1])
            of_upper += leg.total(count_ends(table.upper_ends))
            of_lower += leg.total(count_ends(table.lower_ends))
            of_lower += leg.total(count_ends(table.jumps)) * np.isfinite(beside)
        most_h, most_l = (int(most) + len(own) for most, own in zip(count.max(1), fixed, strict=True))
        return cls(
            bounds=bounds,
            number=number,
            aiming=int(np.sum(aims[number])),
            legs=tuple(legs),
            tables=tables,
            beside=beside,
            fixed=fixed,
            most=(most_h, most_l),
        )

    def __len__(self) -> int:
        return len(self.number)

    @property
    def bytes_each(self) -> int:
        """Memory that a problem needs on the device, about: its bars, their lines at all candidates, and its grid."""
        h, l = self.most
        numbers = 3 * h * l + 8 * (h + l)
        for leg, table in zip(self.legs, self.tables, strict=True):
            uppers = table.upper_edges.shape[1]
            lower, upper = (h, l) if table.mirrored else (l, h)
            lines = (8 + 4 * uppers) * lower + (20 + 2 * uppers) * upper
            numbers += leg.rows.shape[1] * (2 * table.width + lines)
        return 8 * numbers


def _fixed(bounds: Interval, pad: float, both_bounds: bool) -> Floats:
    """Candidates of either multiplier that do not depend on bars: `pad`, which fills up, is one of them."""
    low, high = bounds
    return np.array([*((low, high) if both_bounds else (pad,)), min(max(0.0, low), high)])
