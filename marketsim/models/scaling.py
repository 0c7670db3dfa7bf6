"""Per cent of the last close, the scale of some networks' inputs, and back to moves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

LIMIT = np.log(11.0)  # quantiles end at a move of +1,000 %, where levels end too


def to_percent(contexts: NDArray[np.float64], representation: str) -> NDArray[np.float32]:
    """`contexts` `[N, L, 5]` as series `[N, 4, L]` of open, high, low and close.

    "prices": `100 * log(X[s] / Close[t])`, t the last bar. "moves": `100 * log(X[s] / Close[s-1])`, the first
    bar's from its own open. The value that follows is `100 * log(X[t+1] / Close[t])` in both.
    """
    prices = np.log(contexts[:, :, :4].swapaxes(1, 2))
    if representation == "prices":
        reference = prices[:, 3:, -1:]
    else:
        reference = np.concatenate([prices[:, :1, :1], prices[:, 3:, :-1]], axis=-1)
    return (100 * (prices - reference)).astype(np.float32)


def to_moves(quantiles: NDArray[np.float64]) -> NDArray[np.float64]:
    """Moves from the last close, of any shape, from forecasts on the scale above."""
    moves: NDArray[np.float64] = np.expm1(np.clip(quantiles / 100, -LIMIT, LIMIT))
    return moves
