"""Bounds of multipliers and of other parameters."""

from __future__ import annotations

import math
from typing import Any

from marketsim.errors import BoundsError
from marketsim.optimizers.exact.candidates import Bounds

BOUNDS: Bounds = ((-0.03, 0.03), (-0.03, 0.03))


def checked(bounds: Any) -> Bounds:
    """The bounds of both multipliers, as floats. BoundsError when they are no two pairs of lowest and highest."""
    first, second = intervals(bounds, 2)
    return first, second


def intervals(bounds: Any, count: int | None = None) -> tuple[tuple[float, float], ...]:
    """Pairs of floats, `count` of them if it is given. BoundsError when one is reversed, missing or not finite."""
    try:
        pairs = tuple((float(low), float(high)) for low, high in bounds)
    except (TypeError, ValueError):
        raise BoundsError(f"bounds: got {bounds!r}, must be pairs (lowest, highest)") from None
    if not pairs or (count is not None and len(pairs) != count):
        raise BoundsError(f"bounds: got {len(pairs)} pairs (lowest, highest), must be {count or '1 or more'}")
    for low, high in pairs:
        if not (math.isfinite(low) and math.isfinite(high) and low <= high):
            raise BoundsError(f"bounds: got ({low:g}, {high:g}), must be finite, the lowest before the highest")
    return pairs
