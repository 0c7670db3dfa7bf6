"""Forecasts of several bars ahead, made like the next bar's and cached bar by bar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, OPEN, fault
from marketsim.forecasting.identity import ModelIdentity, identity_of
from marketsim.forecasting.keys import KEY, fingerprint
from marketsim.forecasting.model_forecaster import SHAPE
from marketsim.forecasting.protocols import Cache, Identity, PathModel

BAR_SHAPE = (6, len(LEVELS))  # of one bar of a path
AS_PATH = [OPEN, HIGH, LOW, CLOSE, HIGH, LOW]  # the next bar as such rows: the highest high of one bar is its high


def bar_identity(model: PathModel, ahead: int) -> ModelIdentity:
    """What a model is where it forecasts the bar `ahead`; 1 is the next one, and the model itself."""
    return identity_of(model, **({"ahead": ahead} if ahead > 1 else {}))


class Paths(ModelIdentity, frozen=True):
    """A model of the bars up to `ahead`, which makes all of them of one pass over a context."""

    model: PathModel
    ahead: int

    @classmethod
    def of(cls, model: PathModel, ahead: int) -> Paths:
        """The paths of `ahead` bars by `model`."""
        return cls(
            name=model.name,
            version=model.version,
            trained_until=model.trained_until,
            training=model.training,
            minimum_bars=model.minimum_bars,
            parameters=bar_identity(model, ahead).parameters,
            model=model,
            ahead=ahead,
        )

    @property
    def context(self) -> int:
        """The model's."""
        return self.model.context

    @property
    def batch(self) -> int:
        """Contexts that pay in one call: a further bar takes no more room than the first."""
        return max(1, self.model.batch // self.ahead)

    @property
    def shape(self) -> tuple[int, ...]:
        """`[K, 6, Q]` of one forecast."""
        return self.ahead, *BAR_SHAPE

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles `[N, K, 6, Q]`, those of `PathModel.paths`, from what `ContextModel.forecast` is handed.

        `times` `[N, L + K]` go on to the last bar of the paths.
        """
        moves = self.model.paths(contexts, times)
        moves[:, 0] = moves[:, 0, AS_PATH]
        return moves


class PathCache:
    """A cache of paths that keeps each bar of them apart.

    The next bar is a backtest's too, and a longer path holds the shorter ones.
    """

    def __init__(self, cache: Cache, paths: Paths) -> None:
        self._cache = cache
        self._bars = [bar_identity(paths.model, k) for k in range(1, paths.ahead + 1)]

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """The paths `[K, 6, Q]` of which every bar is there."""
        found = [self._kept(k, [_bar_key(key, k) for key in keys]) for k in range(len(self._bars))]
        paths: dict[bytes, NDArray[np.float64]] = {}
        for key in keys:
            rows = [found[k].get(_bar_key(key, k)) for k in range(len(self._bars))]
            whole = [row for row in rows if row is not None]
            if len(whole) == len(rows):
                paths[key] = np.stack([whole[0][AS_PATH], *whole[1:]])
        return paths

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep the bars of paths that are not there yet."""
        for k, bar in enumerate(self._bars):
            new = {_bar_key(key, k): row[k] if k else row[0, : SHAPE[0]] for key, row in rows.items()}
            kept = self._kept(k, list(new))
            self._cache.put(bar, {key: row for key, row in new.items() if key not in kept}, symbol)

    def _kept(self, k: int, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        found = self._cache.get(fingerprint(self._bars[k]), keys)
        shape = BAR_SHAPE if k else SHAPE
        return {key: row for key, row in found.items() if fault(row, shape) is None}


def _bar_key(key: bytes, k: int) -> bytes:
    """The key of bar `k` of a path, 0 for the next one; see `keys.context_keys`."""
    return key[k * KEY : (k + 1) * KEY]
