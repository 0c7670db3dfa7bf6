"""`toto2`: the Toto 2.0 family, zero-shot, with a head of quantiles; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from marketsim.models.toto import Toto

if TYPE_CHECKING:
    from marketsim.models.inference import Inference


class Toto2(Toto):
    """Toto 2.0 (Datadog, 2026), used as Toto 1.0 is; its head predicts the quantiles themselves.

    It needs a whole patch of bars: in a shorter context the vendor takes the padding for bars. Of what lies between its
    quantiles it says nothing, hence no trimmed mean.
    """

    name = "toto2"
    variants: ClassVar[Mapping[str, str]] = {
        "22m": "Datadog/Toto-2.0-22m",
        "4m": "Datadog/Toto-2.0-4m",
        "313m": "Datadog/Toto-2.0-313m",
        "1b": "Datadog/Toto-2.0-1B",
        "2.5b": "Datadog/Toto-2.0-2.5B",
    }
    minimum_bars = 32
    patch = 32
    unused: ClassVar[tuple[str, ...]] = (*Toto.unused, "trim")

    @classmethod
    def installed(cls) -> bool:
        """Whether its package is installed: Toto 1.0's has a folder of this name too, which has no origin."""
        found = importlib.util.find_spec("toto2")
        return found is not None and found.origin is not None

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.toto2_network import load

        return load(self.weights, self.options)
