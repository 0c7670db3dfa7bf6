"""The common part of models that are refitted to true ranges periodically, and filtered in between."""

from __future__ import annotations

import functools
import importlib.metadata
import importlib.util
import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import MissingExtra
from marketsim.forecasting.series import Series
from marketsim.models.har import DECAY, REGRESSION_BARS, WINDOW, forecast_from_scales, scales_of, without_flat_bars
from marketsim.models.past_model import PastModel

REFIT = 50  # bars from one fit to the next
DECIMALS = 9  # of what is fitted: a search makes much of the last digits, which the unit of the prices decides
FITS = 1024  # that are remembered, for a model that is asked for a symbol more than once
EXTRA = "econometrics"

Array = NDArray[np.float64]


class Refitted(PastModel, ABC):
    """`har`'s quantiles, scaled by a range that the model of a library predicts.

    The model is fitted at every 50th bar of the series to all bars up to it, and filtered with these parameters over
    the bars up to the next such one. What a fit rests on is told by the bar alone, so that no forecast depends on the
    other origins of a call. Below 220 bars, and where a fit gives no finite number, the range is `har`'s weighted mean.
    """

    library: ClassVar[str]  # distribution and package of this name

    @classmethod
    def installed(cls) -> bool:
        """Whether its library is installed."""
        return importlib.util.find_spec(cls.library) is not None

    @property
    def parameters(self) -> Mapping[str, float | int | str]:  # type: ignore[override]
        """What a fit rests on, and the release of the library: fits differ from one to the next."""
        return {
            "refit": REFIT,
            "window": WINDOW,
            "regression_bars": REGRESSION_BARS,
            "decay": DECAY,
            self.library: importlib.metadata.version(self.library),
        }

    def __init__(self) -> None:
        if not self.installed():
            raise MissingExtra(f"model '{self.name}'", EXTRA)

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> Array:
        """Quantiles of moves `[N, 4, Q]` at `origins` `[N]`; see `HistoryModel.forecast`."""
        return forecast_from_scales(series, origins, self._scales)

    @classmethod
    @abstractmethod
    def values(cls, true_range: Array, falls: NDArray[np.bool_]) -> Array:
        """What is fitted, `[T]`, of true ranges `[T]` in log units and whether the close fell."""

    @classmethod
    @abstractmethod
    def fitted(cls, values: Array) -> tuple[float, ...]:
        """The parameters that `values` `[K]` are likeliest under, by the library; it imports it."""

    @classmethod
    @abstractmethod
    def filtered(cls, values: Array, parameters: tuple[float, ...]) -> Array:
        """Log true ranges `[T]` of the bar after each of the `values` `[T]`, each from those up to it."""

    def _scales(self, ohlcv: Array, first: int) -> Array:
        true_range, falls = _ranges(ohlcv)
        log_range, values = np.log(true_range), self.values(true_range, falls).round(DECIMALS)

        def predict(start: int) -> Array:
            if start >= len(values):
                return np.empty(0)
            begins = range(start - start % REFIT, len(values), REFIT)
            prediction = np.concatenate([self._predicted(values, begin) for begin in begins])[start % REFIT :]
            return np.where(np.isfinite(prediction), prediction, _averages(log_range)[start:])

        return scales_of(log_range, first, predict)

    def _predicted(self, values: Array, begin: int) -> Array:
        """Log true ranges of the bars after `begin` and up to the next fit; NaN where nothing varied before."""
        known, stop = values[: max(begin, REGRESSION_BARS - 1) + 1], min(begin + REFIT, len(values))
        if np.ptp(known) == 0:
            return np.full(stop - begin, np.nan)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of searches that end early: what they found is used
            return self.filtered(values[:stop], _parameters(type(self), known.tobytes()))[begin:]


@functools.lru_cache(maxsize=FITS)
def _parameters(model: type[Refitted], values: bytes) -> tuple[float, ...]:
    return model.fitted(np.frombuffer(values).copy())


def _ranges(ohlcv: Array) -> tuple[Array, NDArray[np.bool_]]:
    """True ranges `[T]` in log units, none of them zero, and whether the close fell."""
    opened, high, low, close = np.ascontiguousarray(ohlcv[:, :4].T)
    before = np.concatenate([opened[:1], close[:-1]])
    return without_flat_bars(np.log(np.maximum(high, before) / np.minimum(low, before))), close < before


def _averages(log_range: Array) -> Array:
    """The exponentially weighted mean `[T]` up to each bar."""
    averages = np.empty(len(log_range))
    total = weight = 0.0
    for t, value in enumerate(log_range.tolist()):
        total, weight = DECAY * total + value, DECAY * weight + 1.0
        averages[t] = total / weight
    return averages
