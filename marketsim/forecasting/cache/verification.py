"""Verification of a cache: the digests of its rows, and a sample of forecasts made again."""

from __future__ import annotations

import numpy as np
from msgspec import Struct

from marketsim.data.bars import Bars
from marketsim.forecasting.cache.forecast_cache import ForecastCache
from marketsim.forecasting.forecaster import make_forecasts
from marketsim.forecasting.forecasts import repair
from marketsim.forecasting.keys import fingerprint, keys_of
from marketsim.forecasting.protocols import Model
from marketsim.profiling import Clock

TOLERANCE = 1e-6  # of moves: what batching and threads may change in a neural model


class DigestCheck(Struct, frozen=True):
    """How many rows a cache holds, and how many of them are not what was written."""

    rows: int
    damaged: int


class Verification(Struct, frozen=True):
    """How many cached forecasts were made again, and at which origins (bar indices) they differed."""

    cached: int
    checked: int
    different: tuple[int, ...]


def check_digests(cache: ForecastCache) -> DigestCheck:
    """Check the digest of every row, of all models; MarketsimError where the rows cannot be read."""
    rows = damaged = 0
    for row in cache.scan():
        rows += 1
        damaged += row.decode() is None
    return DigestCheck(rows, damaged)


def verify(cache: ForecastCache, model: Model, bars: Bars, seed: int, sample: int = 20) -> Verification:
    """Make a random sample of the cached forecasts of `bars` again and compare; the `seed` tells which."""
    origins = np.arange(model.minimum_bars - 1, len(bars))
    keys = keys_of(model, bars, origins)
    found = cache.get(fingerprint(model), keys)
    held = np.flatnonzero([key in found for key in keys])
    chosen = np.sort(np.random.default_rng(seed).choice(held, min(sample, len(held)), replace=False))
    different = []
    if len(chosen):
        again = make_forecasts(model, bars, origins[chosen], None, Clock()).moves
        for i, row in zip(chosen, again, strict=True):
            kept = found[keys[i]]
            if kept.shape != row.shape or not np.allclose(repair(kept[None])[0][0], row, rtol=0, atol=TOLERANCE):
                different.append(int(origins[i]))
    return Verification(len(held), len(chosen), tuple(different))
