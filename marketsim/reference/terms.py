"""The reference system's rule as profit terms, so that its exact maximum is found like any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.profit_terms import LOWER_CLIP, UPPER_CLIP, Leg, ProfitTerms, mirror
from marketsim.reference.fees import Fee
from marketsim.reference.profits import POSITION_LIMIT

Floats = NDArray[np.float64]


def reference_terms(
    close_actual: Floats,
    positions: Floats,
    high_actual: Floats,
    high_pred: Floats,
    low_actual: Floats,
    low_pred: Floats,
    *,
    close_at_eod: bool,
    fee: Fee,
) -> ProfitTerms:
    """The terms whose sum is that of `entry_exit_profit`.

    Parameters:
        close_actual, high_actual, high_pred, low_actual, low_pred: finite moves `[...]`.
        positions: `[I, ...]`, I sizes that are traded side by side, each with a fee of its own.
        close_at_eod: no take-profit, every exit is the close.
        fee: how much, and on which bars.

    Returns:
        Terms `[...]`: a long leg and a short one. A fee that depends on both levels is charged on the very edge too,
        where a level equals the high or the low: to save it there would take luck with rounding.

    """
    bought = _leg(False, close_actual, positions, high_actual, high_pred, low_actual, low_pred, close_at_eod, fee)
    turned = (-close_actual, -positions, -low_actual, -low_pred, -high_actual, -high_pred)
    return ProfitTerms((bought, _leg(True, *turned, close_at_eod, fee)))


def _leg(
    mirrored: bool,
    close: Floats,
    positions: Floats,
    high: Floats,
    upper: Floats,
    low: Floats,
    lower: Floats,
    close_at_eod: bool,
    fee: Fee,
) -> Leg:
    """The leg that buys, in its own coordinates: a short is a long in the mirror."""
    bought = np.maximum(positions, 0.0)
    size, paid = _sum(np.minimum(bought, POSITION_LIMIT)), fee.amount * _sum(bought)
    at_level, per_upper, lower_edges = size * close, size, low[..., None]
    gain, weights = -at_level, [0.0 if close_at_eod else 1.0]
    if fee.per_leg or not fee.amount:
        at_level = at_level - fee.amount * size
    else:
        crossed = paid * (high > 0)  # no level lies strictly below a high of zero or less
        if close_at_eod:  # charged at the entry, or without one below the high
            at_level, gain, per_upper = at_level - paid, -crossed, 0.0 * size
            lower_edges, weights = np.stack([np.full_like(low, -np.inf), low], axis=-1), [1.0, 0.0]
        else:
            gain = gain - crossed
    placed = (size != 0)[..., None, None]
    return Leg(
        mirrored,
        mirror(LOWER_CLIP) if mirrored else UPPER_CLIP,
        mirror(UPPER_CLIP) if mirrored else LOWER_CLIP,
        upper_move=upper,
        lower_move=lower,
        low=low,
        open=np.full_like(low, np.inf),
        at_level=at_level,
        per_lower=-size,
        gain=gain,
        per_upper=per_upper,
        upper_edges=high[..., None],
        lower_edges=lower_edges,
        weight=placed * np.array([weights]),
    )


def _sum(terms: Floats) -> Floats:
    """Over the sizes that are traded side by side; quicker than a sum where there is one."""
    total: Floats = terms[0] if len(terms) == 1 else terms.sum(0)
    return total
