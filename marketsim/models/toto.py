"""`toto`: Toto 1.0, zero-shot, its quantiles read off the mixture that it predicts; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from marketsim.errors import UsageError
from marketsim.models.zero_shot import ZeroShot

if TYPE_CHECKING:
    from marketsim.models.inference import Inference


class Toto(ZeroShot):
    """Toto-Open-Base-1.0 (Cohen et al. 2025, arXiv:2505.14766), with the four channels as one group.

    It sees `100 * log(X / last close)`, or each bar's own moves on that scale where `representation` is "moves":
    the floor under its variance would flatten smaller numbers. One pass gives a mixture of Student-t
    distributions of the next value, whose quantiles are taken as they are: no samples, no seed.

    With `trim` the point forecast, in the median's place, is the mean of the quantile function between `trim` and
    `1 - trim`, on that same scale: what the trimmed mean of ever more samples comes to. Where it lies beyond other
    quantiles, as it may between skew ones, they are moved to it: the least that keeps them rising.

    A context is cut to whole patches; one that is shorter than a patch is padded, as the vendor pads it.
    """

    name = "toto"
    variants: ClassVar[Mapping[str, str]] = {"base": "Datadog/Toto-Open-Base-1.0"}
    minimum_bars = 2
    patch = 64  # bars
    usual_context = 512
    usual_representation = "prices"
    unused: ClassVar[tuple[str, ...]] = ("samples", "temperature", "top_p", "top_k", "clip")

    @classmethod
    def check_context(cls, variant: str, context: int) -> None:
        """See `ZeroShot.check_context`: whole patches."""
        if context < cls.patch or context % cls.patch:
            raise UsageError(
                f"model '{cls.name}' reads contexts in multiples of {cls.patch} bars, such as {cls.usual_context}, "
                f"not {context}"
            )

    @classmethod
    def installed(cls) -> bool:
        """Whether its package is installed, and not another one of the same name."""
        return super().installed() and importlib.util.find_spec("toto.model") is not None

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.toto_network import load

        return load(self.weights, self.options)
