"""Protocols: of forecast models, and of the cache and the clock that the forecaster uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from marketsim.forecasting.series import Series


class Identity(Protocol):
    """The name, version and needs of a forecast model."""

    @property
    def name(self) -> str:
        """As in `registry.MODELS`."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same bars give other forecasts."""
        ...

    @property
    def trained_until(self) -> str | None:
        """ISO date of the newest bar in the weights, "unknown" where nobody says; None where there are no weights."""
        ...

    @property
    def training(self) -> str:
        """What is known of the bars in the weights and who says so, in a few words."""
        ...

    @property
    def minimum_bars(self) -> int:
        """Bars needed up to and including the origin."""
        ...

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """What the forecasts depend on, for the fingerprint and the reader."""
        ...


class HistoryModel(Identity, Protocol):
    """It fits on the bars before each origin, and on nothing else."""

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Quantiles `[N, 4, Q]` at LEVELS of moves `X[t+1] / Close[t] - 1`, for origins `t` `[N]`, of any order.

        Row i depends on `series.until(origins[i])` alone, to the bit: not on later bars or other origins.
        """
        ...


class ContextModel(Identity, Protocol):
    """It was trained before, and is handed contexts that end at their origins, never the series."""

    @property
    def context(self) -> int:
        """Bars that it reads at most, the origin included."""
        ...

    @property
    def batch(self) -> int:
        """Contexts that pay in one call on its device; asked for only when there is something to forecast."""
        ...

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles `[N, 4, Q]` at LEVELS of the moves of the bar after each of the `contexts` `[N, L, 5]`.

        L is from `minimum_bars` to `context`, and the last bar of each context is its origin. `times` `[N, L + 1]`
        (datetime64[s]) label their opens by the exchange's clocks, and last that of the bar to be forecast. Row i
        depends on context and times i alone, but for what other sizes of a batch do to the last digits. MemoryError
        where the device cannot hold so many; the batch is then halved.
        """
        ...


class PathModel(ContextModel, Protocol):
    """It draws paths: bars beyond the next one, each after those before it."""

    @property
    def horizon(self) -> int:
        """Bars ahead at most."""
        ...

    def paths(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles `[N, K, 6, Q]` at LEVELS of the moves of the K bars after each of the `contexts` `[N, L, 5]`.

        All are moves from the origin's close: open, high, low and close of a bar, then the highest and the lowest price
        of the path up to that bar. `times` `[N, L + K]` as in `forecast`, which gives the first bar's four channels
        too. What is said of a bar does not depend on K.
        """
        ...


class FurtherModel(ContextModel, Protocol):
    """Its forecast goes on beyond the next bar, so that its contexts come with the stamps of further ones."""

    @property
    def ahead(self) -> int:
        """Bars of a forecast."""
        ...


Model = HistoryModel | ContextModel


def comes_from_outside(model: Identity) -> bool:
    """Whether it is none of marketsim's own models, so that it is audited when it is first used."""
    return bool(getattr(model, "outside", False))


class Cache(Protocol):
    """Rows kept under the model's fingerprint and a key; `cache.ForecastCache` is one."""

    def get(self, model_fingerprint: str, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float64]]:
        """Those of the rows that are there."""
        ...

    def put(self, model: Identity, rows: Mapping[bytes, NDArray[np.float64]], symbol: str) -> None:
        """Keep rows by key."""
        ...


class Clock(Protocol):
    """Times stages; `profiling.Clock` is one."""

    def stage(self, name: str) -> AbstractContextManager[object]:
        """Charges the time inside to `name`."""
        ...
