"""Forecasts of several bars ahead: through the same sweep as the next bar's, and kept bar by bar in the same cache."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.forecaster import SHAPE
from marketsim.forecasting.forecasts import CLOSE, HIGH, LEVELS, LOW, OPEN, fault
from marketsim.forecasting.keys import KEY, fingerprint
from marketsim.forecasting.protocols import Cache, Identity, PathModel

ROWS = (6, len(LEVELS))  # of one bar of a path
ALONE = [OPEN, HIGH, LOW, CLOSE, HIGH, LOW]  # the next bar as such rows: the highest high of one bar is its high


@dataclass(frozen=True, slots=True)
class Step:
    """What a model is where it forecasts the bar `ahead`; 1 is the next one, and the model itself."""

    model: PathModel
    ahead: int

    @property
    def name(self) -> str:
        """The model's."""
        return self.model.name

    @property
    def version(self) -> str:
        """The model's."""
        return self.model.version

    @property
    def trained_until(self) -> str | None:
        """The model's."""
        return self.model.trained_until

    @property
    def training(self) -> str:
        """The model's."""
        return self.model.training

    @property
    def minimum_bars(self) -> int:
        """The model's."""
        return self.model.minimum_bars

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """The model's, and beyond the next bar how far ahead it is."""
        return {**self.model.parameters, **({"ahead": self.ahead} if self.ahead > 1 else {})}


@dataclass(frozen=True, slots=True)
class Paths(Step):
    """A model of the bars up to `ahead`, for a sweep: it makes all of them of one pass over a context."""

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
        return self.ahead, *ROWS

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles `[N, K, 6, Q]`, those of `PathModel.paths`, from what `ContextModel.forecast` is handed.

        `times` `[N, L + K]` go on to the last bar of the paths.
        """
        moves = self.model.paths(contexts, times)
        moves[:, 0] = moves[:, 0, ALONE]
        return moves


class Steps:
    """A cache of paths that keeps each bar of them apart: the next one is a backtest's too, and a longer path holds the
    shorter ones.
    """

    def __init__(self, cache: Cache, paths: Paths) -> None:
        self._cache = cache
        self._steps = [Step(paths.model, k) for k in range(1, paths.ahead + 1)]

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """The paths `[K, 6, Q]` of which every bar is there."""
        found = [self._kept(k, [_key(key, k) for key in keys]) for k in range(len(self._steps))]
        paths: dict[bytes, NDArray[np.float64]] = {}
        for key in keys:
            rows = [found[k].get(_key(key, k)) for k in range(len(self._steps))]
            whole = [row for row in rows if row is not None]
            if len(whole) == len(rows):
                paths[key] = np.stack([whole[0][ALONE], *whole[1:]])
        return paths

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep the bars of paths that are not there yet."""
        for k, step in enumerate(self._steps):
            steps = {_key(key, k): row[k] if k else row[0, : SHAPE[0]] for key, row in rows.items()}
            kept = self._kept(k, list(steps))
            self._cache.put(step, {key: row for key, row in steps.items() if key not in kept}, symbol)

    def _kept(self, k: int, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        found = self._cache.get(fingerprint(self._steps[k]), keys)
        shape = ROWS if k else SHAPE
        return {key: row for key, row in found.items() if fault(row, shape) is None}


def _key(key: bytes, k: int) -> bytes:
    """The key of bar `k` of a path, 0 for the next one; see `keys.keys_of`."""
    return key[k * KEY : (k + 1) * KEY]
