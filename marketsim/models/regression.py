"""`Regression`: quantiles of past moves, scaled by a range that any scikit-learn regressor forecasts.

It is a model of one's own, to use as it is or to copy:

    marketsim backtest ETHUSD --model marketsim.models.regression:Regression \\
        --model-option estimator=lightgbm:LGBMRegressor --model-option n_estimators=50
"""

from __future__ import annotations

import copy
import importlib
import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import MissingExtra, UsageError
from marketsim.forecasting.series import Series
from marketsim.models.har import REGRESSION_BARS, forecast_from_scales, scales
from marketsim.models.source_digest import digest_class

REPEATABLE = {"random_state": 0, "n_jobs": 1}  # unless they are chosen, where an estimator knows them
QUIET = {"lightgbm": {"verbose": -1}}  # of packages that print to stdout

Array = NDArray[np.float64]


class Regression:
    """`har` with another regression of the log true range.

    The estimator is fitted anew at every `refit`-th bar of the series, on all pairs of features and log range before
    it, and forecasts the ranges up to the next such bar. Features, quantiles and the fallbacks below 220 bars are those
    of `har`. What a fit rests on is told by the bar alone, so that no forecast depends on the other origins of a call.

    Parameters
    ----------
    estimator
        An object with `fit(X, y)` and `predict(X)`, of which a copy is fitted; or the `module:Class` of one.
    refit
        Bars from one fit to the next.
    **options
        Of the estimator, where it is named.

    Examples
    --------
    >>> from sklearn.linear_model import Ridge
    >>> Regression(Ridge(alpha=10.0), refit=20).parameters["refit"]
    20
    """

    name = "regression"
    trained_until = None
    training = "fits on past bars only"
    minimum_bars = 2

    def __init__(self, estimator: Any = "sklearn.linear_model:Ridge", refit: int = 50, **options: Any) -> None:
        if refit < 1:
            raise UsageError(f"Regression: refit must be 1 bar or more, not {refit}")
        if options and not isinstance(estimator, str):
            raise UsageError("Regression: options are for an estimator that is named; make the object with them")
        self.estimator = _made(estimator, options) if isinstance(estimator, str) else estimator
        if not all(callable(getattr(self.estimator, method, None)) for method in ("fit", "predict")):
            raise UsageError(f"Regression: {type(self.estimator).__name__} has no methods `fit` and `predict`")
        self.refit = refit

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """How often is fitted; and the estimator: its code, and what it was made with."""
        return {"refit": self.refit, **_identified(self.estimator)}

    def forecast(self, series: Series, origins: NDArray[np.int64]) -> Array:
        """Quantiles of moves `[N, 4, Q]` at `origins` `[N]`; see `HistoryModel.forecast`."""
        return forecast_from_scales(series, origins, self._scales)

    def _scales(self, ohlcv: Array, first: int) -> Array:
        return scales(ohlcv, first, self._regress)

    def _regress(self, x: Array, y: Array, start: int) -> Array:
        """Predictions `[T - start]` of `y[t+1]` from `x[:, t]`, x `[P, T]`, for t from `start` on."""
        if start >= len(y):
            return np.empty(0)
        rows, predictions = np.ascontiguousarray(x[1:].T), []  # without the constant
        for begin in range(start - start % self.refit, len(y), self.refit):
            known = max(begin, REGRESSION_BARS - 1)  # bars that the fit rests on, beside the first
            estimator = copy.deepcopy(self.estimator)
            estimator.fit(rows[:known], y[1 : known + 1])
            # always as many rows as from one fit to the next: the bits of one may depend on how many there are
            block = np.zeros((self.refit, rows.shape[1]))
            there = rows[begin : begin + self.refit]
            block[: len(there)] = there
            predicted = np.asarray(estimator.predict(block), dtype=np.float64)
            predictions.append(predicted[max(start - begin, 0) : len(there)])
        return np.concatenate(predictions)


def _made(name: str, options: Mapping[str, Any]) -> Any:
    """The estimator that `module:Class` names, made with the options."""
    module, _, kind = name.partition(":")
    try:
        found = getattr(importlib.import_module(module), kind or "_", None)
    except ModuleNotFoundError as error:
        if module.partition(".")[0] in ("sklearn", "lightgbm"):
            raise MissingExtra(f"estimator '{name}'", "regression") from None
        raise UsageError(f"estimator '{name}': there is no module '{error.name}'") from None
    if found is None:
        raise UsageError(f"estimator '{name}': must be MODULE:CLASS, such as lightgbm:LGBMRegressor")
    try:
        estimator = found(**options)
    except TypeError as error:
        raise UsageError(f"estimator '{name}': {error}") from None
    if hasattr(estimator, "get_params"):
        known = estimator.get_params()
        usual = {key: value for key, value in REPEATABLE.items() if key in known}
        usual |= QUIET.get(module.partition(".")[0], {})
        estimator.set_params(**{key: value for key, value in usual.items() if key not in options})
    return estimator


def _identified(estimator: Any) -> dict[str, float | int | str]:
    """What tells an estimator from others; where nothing does, each object is one of its own."""
    kind = type(estimator)
    source = digest_class(kind)
    if source is None or source.edited is not None or not hasattr(estimator, "get_params"):
        return {"estimator": f"{kind.__qualname__} {secrets.token_hex(8)}"}
    packages = " ".join(f"{name} {version}" for name, version in source.packages.items())
    chosen = sorted(estimator.get_params().items())
    return {"estimator": f"{kind.__module__}:{kind.__qualname__} {chosen}", "code": f"{source.digest} {packages}"}
