"""The rounding difference allowed in a forecast that is made again in another way."""

from __future__ import annotations

from marketsim.forecasting.keys import reads_contexts
from marketsim.forecasting.protocols import Model

OF_HISTORIES = 1e-9  # moves: sums that are made in another order
OF_CONTEXTS = 1e-6  # moves: what other sizes of a batch do in a network
LARGEST = 1e-4  # moves: a basis point is no rounding any more


def tolerance_of(model: Model) -> float:
    """What batch mates, another order or another process may change in a move of the model: stated by it, or usual."""
    stated: float | None = getattr(model, "tolerance", None)
    if stated is not None:
        return stated
    return OF_CONTEXTS if reads_contexts(model) else OF_HISTORIES
