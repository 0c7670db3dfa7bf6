"""`chronos`: Chronos-Bolt and Chronos-2, zero-shot, quantiles straight from the head; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import MissingExtra, UsageError
from marketsim.models.options import Options
from marketsim.models.percent import to_moves, to_percent
from marketsim.models.weights import locate
from marketsim.profiling import part

if TYPE_CHECKING:
    from marketsim.models.inference import Inference

CONTEXT = 512  # bars
LONGEST = {"bolt": 2048, "2": 8192}  # bars that a family was trained to read; the networks drop what is older


class Chronos:
    """Chronos-Bolt, to which the four channels are four series, and Chronos-2, to which they are one group.

    Source: A. F. Ansari et al., "Chronos: Learning the Language of Time Series", TMLR, 2024; "Chronos-2: From
    Univariate to Universal Forecasting", arXiv 2510.15821, 2025.

    The network sees the bars' moves in per cent, or `100 * log(X / last close)` with `representation` "prices", and
    standardises each series itself. Chronos-2 never learns across groups: a forecast would depend on the contexts
    beside it, and these are of other dates. Nothing is drawn, hence neither samples nor a seed.
    """

    name = "chronos"
    version = "1"
    trained_until: str | None = "unknown"
    training = "no dated cut-off published"
    minimum_bars = 2
    variants: ClassVar[Mapping[str, str]] = {
        "bolt-small": "amazon/chronos-bolt-small",
        "bolt-tiny": "amazon/chronos-bolt-tiny",
        "bolt-mini": "amazon/chronos-bolt-mini",
        "bolt-base": "amazon/chronos-bolt-base",
        "2": "amazon/chronos-2",
    }

    def __init__(self, variant: str, options: Options) -> None:
        options.unused(self.name, "samples", "temperature", "top_p", "top_k", "clip")
        self.context = CONTEXT if options.context is None else options.context
        family = variant.partition("-")[0]
        if not self.minimum_bars <= self.context <= LONGEST[family]:
            raise UsageError(
                f"model '{self.name}:{variant}' reads {self.minimum_bars} to {LONGEST[family]} bars, not {self.context}"
            )
        if importlib.util.find_spec("chronos") is None:
            raise MissingExtra(f"model '{self.name}'", self.name)
        self._family, self._options = family, options
        self._weights = locate(self.variants[variant], options.weights, options.revision)
        self._representation = "moves" if options.representation == "auto" else options.representation
        self.parameters: Mapping[str, float | int | str] = {
            "variant": variant,
            "weights": self._weights.digest,
            "context": self.context,
            "representation": self._representation,
            "dtype": options.dtype,
        }

    @property
    def batch(self) -> int:
        """Contexts that pay in one call on the device."""
        return self._inference().batch

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles of moves `[N, 4, Q]` after `contexts` `[N, L, 5]`; see `ContextModel.forecast`."""
        inference = self._inference()
        with part("preparation"):
            series = to_percent(contexts, self._representation)
        with part("forward", len(series)):
            quantiles = inference.quantiles(series)
        with part("post-processing"):
            return to_moves(quantiles)

    def _inference(self) -> Inference:
        with part("model load"):
            from marketsim.models.chronos_network import load

            return load(self._family, self.context, self._weights, self._options)
