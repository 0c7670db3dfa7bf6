"""`chronos`: Chronos-Bolt and Chronos-2, zero-shot, quantiles straight from the head; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from marketsim.errors import UsageError
from marketsim.models.zero_shot import ZeroShot

if TYPE_CHECKING:
    from marketsim.models.inference import Inference

LONGEST = {"bolt": 2048, "2": 8192}  # bars that a family was trained to read; the networks drop what is older


class Chronos(ZeroShot):
    """Chronos-Bolt, to which the four channels are four series, and Chronos-2, to which they are one group.

    Source: A. F. Ansari et al., "Chronos: Learning the Language of Time Series", TMLR, 2024; "Chronos-2: From
    Univariate to Universal Forecasting", arXiv 2510.15821, 2025.

    The network sees the bars' moves in per cent, or `100 * log(X / last close)` with `representation` "prices", and
    standardizes each series itself. Chronos-2 never learns across groups: a forecast would depend on the contexts
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

    usual_context = 512
    usual_representation = "moves"
    unused = ("samples", "temperature", "top_p", "top_k", "clip", "trim")

    @classmethod
    def check_context(cls, variant: str, context: int) -> None:
        """See `ZeroShot.check_context`."""
        longest = LONGEST[_family(variant)]
        if not cls.minimum_bars <= context <= longest:
            raise UsageError(f"model '{cls.name}:{variant}' reads {cls.minimum_bars} to {longest} bars, not {context}")

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.chronos_network import load

        return load(_family(self.variant), self.context, self.weights, self.options)


def _family(variant: str) -> str:
    return variant.partition("-")[0]
