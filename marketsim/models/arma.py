"""`arma`: an autoregressive moving average of the log true range, in its state-space form."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.models.refitted import Refitted

if TYPE_CHECKING:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

Array = NDArray[np.float64]


class Arma(Refitted):
    """ARMA(1, 1) of the log true range `y[t] = log R[t]` around its mean:

        y[t+1] - mean = a (y[t] - mean) + b e[t] + e[t+1]

    Likelihood and predictions are those of the Kalman filter in statsmodels. One short memory and one moving average
    decay as slowly as the ranges of markets do.

    Sources: A. Harvey, "Forecasting, Structural Time Series Models and the Kalman Filter", 1989, section 3.3;
    S. Alizadeh, M. Brandt and F. Diebold, "Range-Based Estimation of Stochastic Volatility Models", Journal of
    Finance 57(3), 2002, on why log ranges suit a linear filter.
    """

    name = "arma"
    library = "statsmodels"

    @classmethod
    def values(cls, true_range: Array, falls: NDArray[np.bool_]) -> Array:
        """See `Refitted.values`."""
        return np.log(true_range)

    @classmethod
    def fitted(cls, values: Array) -> tuple[float, ...]:
        """See `Refitted.fitted`; the mean, `a` and `b`."""
        mean = float(values.mean())
        found = _model(values - mean).fit(disp=False, cov_type="none")
        return mean, *np.asarray(found.params).tolist()

    @classmethod
    def filtered(cls, values: Array, parameters: tuple[float, ...]) -> Array:
        """See `Refitted.filtered`."""
        mean, *rest = parameters
        found = _model(np.append(values - mean, np.nan)).filter(rest, cov_type="none")
        predictions: Array = mean + found.fittedvalues[1:]
        return predictions


def _model(values: Array) -> SARIMAX:
    from statsmodels.tsa.statespace.sarimax import SARIMAX

    return SARIMAX(values, order=(1, 0, 1), concentrate_scale=True)
