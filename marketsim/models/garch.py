"""`garch` and `egarch`: conditional variances of the root of the true range, fitted by the library `arch`."""

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.models.refitted import Refitted

if TYPE_CHECKING:
    from arch.univariate import VolatilityProcess

FURTHEST = 60.0  # a log variance from the mean one's: more could overflow

Array = NDArray[np.float64]


class RangeVariance(Refitted):
    """The expected range as the variance of its root `x[t] = +-sqrt(R[t])`, with the sign of the bar's return.

    A variance model of the root of a positive series is a model of that series' mean (Engle and Russell,
    "Autoregressive Conditional Duration", Econometrica 66(5), 1998); for ranges it is the conditional autoregressive
    range (R. Chou, Journal of Money, Credit and Banking 37(3), 2005). A range tells more of a bar's variance than its
    return does. By the sign, falls and rises may count differently.
    """

    library = "arch"

    @classmethod
    def values(cls, true_range: Array, falls: NDArray[np.bool_]) -> Array:
        """See `Refitted.values`."""
        return np.where(falls, -1.0, 1.0) * np.sqrt(true_range)

    @classmethod
    def fitted(cls, values: Array) -> tuple[float, ...]:
        """See `Refitted.fitted`; the unit, the variance before the first value in it, and the process's parameters."""
        from arch.univariate import Normal, ZeroMean

        unit = float(np.sqrt((values**2).mean()))
        model = ZeroMean(values / unit, volatility=cls.process(), distribution=Normal(), rescale=False)
        found = np.asarray(model.fit(disp="off", show_warning=False).params)
        return unit, float(model.volatility.backcast(values / unit)), *found.tolist()

    @classmethod
    def filtered(cls, values: Array, parameters: tuple[float, ...]) -> Array:
        """See `Refitted.filtered`."""
        unit, *rest = parameters
        return cls.log_variances((values / unit).tolist(), *rest) + 2 * math.log(unit)

    @classmethod
    @abstractmethod
    def process(cls) -> VolatilityProcess:
        """The process that is fitted."""

    @classmethod
    @abstractmethod
    def log_variances(cls, values: list[float], *parameters: float) -> Array:
        """Log variances `[T]` of the value after each of the `values`; the first parameter is that before the first."""


class Garch(RangeVariance):
    """GARCH(1, 1) of the root of the range, with a term for falls:

        v[t+1] = omega + (alpha + gamma [x[t] < 0]) x[t]^2 + beta v[t]

    Source: L. Glosten, R. Jagannathan and D. Runkle, "On the Relation between the Expected Value and the Volatility of
    the Nominal Excess Return on Stocks", Journal of Finance 48(5), 1993.
    """

    name = "garch"

    @classmethod
    def process(cls) -> VolatilityProcess:
        """See `RangeVariance.process`."""
        from arch.univariate import GARCH

        return GARCH(p=1, o=1, q=1)

    @classmethod
    def log_variances(cls, values: list[float], *parameters: float) -> Array:
        """See `RangeVariance.log_variances`; a value before the first one counts as half a fall."""
        before, omega, alpha, gamma, beta = parameters
        variance = omega + (alpha + gamma / 2 + beta) * before
        variances = np.empty(len(values))
        for t, value in enumerate(values):
            variance = omega + (alpha + gamma * (value < 0)) * value * value + beta * variance
            variances[t] = variance
        return np.log(variances)


class Egarch(RangeVariance):
    """EGARCH(1, 1) of the root of the range, with a term for its sign:

        log v[t+1] = omega + alpha (|z[t]| - sqrt(2 / pi)) + gamma z[t] + beta log v[t],  z[t] = x[t] / sqrt(v[t])

    Source: D. Nelson, "Conditional Heteroskedasticity in Asset Returns: A New Approach", Econometrica 59(2), 1991.
    """

    name = "egarch"

    @classmethod
    def process(cls) -> VolatilityProcess:
        """See `RangeVariance.process`."""
        from arch.univariate import EGARCH

        return EGARCH(p=1, o=1, q=1)

    @classmethod
    def log_variances(cls, values: list[float], *parameters: float) -> Array:
        """See `RangeVariance.log_variances`; the first parameter is a log too."""
        before, omega, alpha, gamma, beta = parameters
        expected = math.sqrt(2 / math.pi)  # of |z|
        log_variance = omega + beta * before
        found = np.empty(len(values))
        for t, value in enumerate(values):
            z = value * math.exp(-log_variance / 2)
            log_variance = omega + alpha * (abs(z) - expected) + gamma * z + beta * log_variance
            log_variance = min(max(log_variance, -FURTHEST), FURTHEST)
            found[t] = log_variance
        return found
