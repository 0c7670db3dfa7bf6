"""The loss of accuracy of a fast walk, estimated from its own bars."""

from __future__ import annotations

import numpy as np

from marketsim.results.blocks import RESAMPLES, Floats, block_length
from marketsim.results.draws import places
from marketsim.results.evidence_schema import FastError
from marketsim.results.significance import enough, widening


def fast_error(returns: Floats, simulations: int, seed: int) -> FastError | None:
    """What a walk of `simulations` bars adds to its newest N, whose `returns` `[N]` are oldest first.

    Full walks are joined from blocks of the bars that were seen; the newest N bars of each are a fast walk. None where
    too few bars earned or lost anything, and where there is nothing beyond the fast walk.
    """
    count = len(returns)
    if not enough(returns) or simulations <= count:
        return None
    length = block_length(count)
    starts = places(seed, count - length + 1, (RESAMPLES, -(-simulations // length)))
    walks = returns[starts[:, :, None] + np.arange(length)].reshape(RESAMPLES, -1)[:, :simulations]
    full, fast = walks.mean(1), walks[:, simulations - count :].mean(1)
    return FastError(
        simulations=simulations,
        width=float(fast.std() / full.std() * _widening(count) / _widening(simulations)),
        same_sign=float(np.mean(np.sign(fast) == np.sign(full))),
    )


def _widening(bars: int) -> float:
    """Of the interval of so many bars."""
    return widening(-(-bars // block_length(bars)))
