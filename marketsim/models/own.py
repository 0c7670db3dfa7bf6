"""A model of the user's own: any object with a name and `forecast(ohlcv, origins)`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim import registry
from marketsim.errors import MarketsimError, UsageError
from marketsim.forecasting.forecasts import HIGH, LEVELS, LOW, MEDIAN
from marketsim.forecasting.protocols import Model
from marketsim.forecasting.series import Series

CHANNELS = ("open", "high", "low", "close")
SHAPE = "(origins, 4: open high low close, 9: quantiles 10 % to 90 %)"


class OwnModel:
    """What marketsim asks of a model, from an object that need not say more than its name and its forecasts.

    Where the object has no `trained_until`, it is unknown which bars it has seen, and the result says so.
    """

    def __init__(self, model: Any) -> None:
        name = getattr(model, "name", None)
        if not isinstance(name, str) or not name or not callable(getattr(model, "forecast", None)):
            raise UsageError(
                f"{type(model).__name__} is no model: it needs a `name` and a method `forecast(ohlcv, origins)`"
            )
        if name in registry.MODELS or name in registry.ENSEMBLES:
            raise UsageError(f"'{name}' is the name of one of marketsim's own models: give yours another")
        self._model = model
        self.name = name
        self.version: str = str(getattr(model, "version", "0"))
        self.trained_until: str | None = getattr(model, "trained_until", "unknown")
        self.training: str = getattr(model, "training", "your own model")
        self.minimum_bars: int = getattr(model, "minimum_bars", 2)
        self.parameters: Mapping[str, float | int | str] = getattr(model, "parameters", {})

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> NDArray[np.float64]:
        """Quantiles of moves `[N, 4, Q]`; see `HistoryModel.forecast`.

        MarketsimError where the object returned anything else: another shape, what is no finite number, quantiles that
        fall, or a high below its low.
        """
        returned = self._model.forecast(series.ohlcv.copy(), origins.copy())
        if returned is None:
            raise self._wrong("nothing: its last line must be a `return`")
        try:
            moves = np.asarray(returned, dtype=np.float64)
        except (TypeError, ValueError):
            raise self._wrong(f"{type(returned).__name__}, not numbers {SHAPE}") from None
        expected = (len(origins), len(CHANNELS), len(LEVELS))
        if moves.shape != expected:
            raise self._wrong(f"shape {moves.shape}, not {expected}: {SHAPE}")
        self._refuse(~np.isfinite(moves), moves, origins, "it must be a finite number")
        falling = np.diff(moves, axis=-1, prepend=moves[..., :1]) < 0
        self._refuse(falling, moves, origins, "quantiles must rise from 10 % to 90 %")
        crossed = np.zeros(expected, bool)
        crossed[:, HIGH, MEDIAN] = moves[:, HIGH, MEDIAN] < moves[:, LOW, MEDIAN]
        self._refuse(crossed, moves, origins, "it is below the low; the order is open, high, low, close")
        return moves

    def _refuse(
        self, wrong: NDArray[np.bool_], moves: NDArray[np.float64], origins: NDArray[np.int64], why: str
    ) -> None:
        if wrong.any():
            row, channel, level = (int(place[0]) for place in wrong.nonzero())
            raise self._wrong(
                f"{moves[row, channel, level]} as the {LEVELS[level]:.0%} quantile of the {CHANNELS[channel]} after "
                f"bar {origins[row]}: {why}"
            )

    def _wrong(self, words: str) -> MarketsimError:
        return MarketsimError(f"model '{self.name}' returned {words}")


def adopt(model: Any) -> Model:
    """The model that a caller hands over: one of marketsim's own as it is, any other object as an `OwnModel`."""
    builtin = f"{type(model).__module__}:{type(model).__qualname__}" in registry.MODELS.values()
    adopted: Model = model if builtin else OwnModel(model)
    return adopted
