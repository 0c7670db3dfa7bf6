"""The reference system's rule as profit terms, so that its exact maximum is found like any other."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from marketsim.execution.profit_terms import LOWER_CLIP, UPPER_CLIP, Leg, ProfitTerms, mirror
from marketsim.reference.fees import Fee
from marketsim.reference.profits import POSITION_LIMIT

NOT_REACHED = 1.0  # a low that no lower level reaches, and with its sign changed a high that no upper one does

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
        close_actual, high_actual, high_pred, low_actual, low_pred: moves `[...]`.
        positions: `[I, ...]`, I sizes that are traded side by side, each with a fee of its own.
        close_at_eod: no take-profit, every exit is the close.
        fee: how much, and on which bars.

    Returns:
        Terms `[...]`: a long leg and a short one. A fee that depends on both levels is charged on the very edge too,
        where a level equals the high or the low: to save it there would take luck with rounding.

    """
    high = np.where(np.isfinite(high_actual), high_actual, -NOT_REACHED)
    low = np.where(np.isfinite(low_actual), low_actual, NOT_REACHED)
    bought = _leg(False, close_actual, positions, high, high_pred, low, low_pred, close_at_eod, fee)
    sold = _leg(True, -close_actual, -positions, -low, -low_pred, -high, -high_pred, close_at_eod, fee)
    return ProfitTerms((bought, sold))


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
    size = np.clip(positions, 0.0, POSITION_LIMIT).sum(0)
    cost, weight = fee.amount * size, 0.0 if close_at_eod else 1.0
    at_level, gain, per_upper = size * close, -size * close, size
    edges, weights = [low], [weight]
    if fee.per_leg or not fee.amount:
        at_level = at_level - cost
    else:
        cost = fee.amount * np.maximum(positions, 0.0).sum(0)
        crossed = cost * (high > 0)  # no level lies strictly below a high of zero or less
        if close_at_eod:  # charged at the entry, or without one below the high
            at_level, gain, per_upper = at_level - cost, -crossed, 0.0 * size
            edges, weights = [np.full_like(low, -np.inf), low], [1.0, 0.0]
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
        lower_edges=np.stack(edges, axis=-1),
        weight=placed * np.array([weights]),
    )
