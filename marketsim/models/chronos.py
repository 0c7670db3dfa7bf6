"""`chronos`: Chronos-Bolt and Chronos-2, zero-shot, quantiles straight from the head; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from marketsim.errors import MissingExtra, UsageError
from marketsim.models.options import Options
from marketsim.models.weights import locate
from marketsim.models.zero_shot import ZeroShot

if TYPE_CHECKING:
    from marketsim.models.inference import Inference

CONTEXT = 512  # bars
LONGEST = {"bolt": 2048, "2": 8192}  # bars that a family was trained to read; the networks drop what is older


class Chronos(ZeroShot):
    """Chronos-Bolt, to which the four channels are four series, and Chronos-2, to which they are one group.

    Source: A. F. Ansari et al., "Chronos: Learning the Language of Time Series", TMLR, 2024; "Chronos-2: From
    Univariate to Universal Forecasting", arXiv 2510.15821, 2025.

    The network sees the bars' moves in per cent, or `100 * log(X / last close)` with `representation` "prices", and
    standardises each series itself. Chronos-2 never learns across groups: a forecast would depend on the contexts
    beside it, and these are of other dates. Nothing is drawn, hence neither samples nor a seed.
    """

    name = "chronos"
    minimum_bars = 2
    variants: ClassVar[Mapping[str, str]] = {
        "bolt-small": "amazon/chronos-bolt-small",
        "bolt-tiny": "amazon/chronos-bolt-tiny",
        "bolt-mini": "amazon/chronos-bolt-mini",
        "bolt-base": "amazon/chronos-bolt-base",
        "2": "amazon/chronos-2",
    }

    def __init__(self, variant: str, options: Options) -> None:
        options.unused(self.name, "samples", "temperature", "top_p", "top_k", "clip", "trim")
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
        self.representation = "moves" if options.representation == "auto" else options.representation
        self.parameters = {
            "variant": variant,
            "weights": self._weights.digest,
            "context": self.context,
            "representation": self.representation,
            "dtype": options.dtype,
        }

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.chronos_network import load

        return load(self._family, self.context, self._weights, self._options)
