"""`fracast`: a small convolutional network whose weights come with its package; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from marketsim.errors import MissingExtra, UsageError
from marketsim.models.options import Options
from marketsim.models.weights import locate
from marketsim.models.zero_shot import ZeroShot

if TYPE_CHECKING:
    from marketsim.models.inference import Inference

CONTEXT = 1024  # bars; 512, 256 and 128 cost as much and lose 0.9, 1.5 and 2.9 % more; 2048 gain nothing
LONGEST = 2048  # bars that every context is padded to


class Fracast(ZeroShot):
    """Fracast-0, 85,001 parameters, zero-shot: every channel is a series by itself.

    Source: https://github.com/ztxtech/fracast-0; its periods are found as TinyCast finds them.

    The network sees the bars' moves in per cent, or `100 * log(X / last close)` with `representation` "prices",
    scaled by itself to the range of the context. Nothing is drawn, hence neither samples nor a seed. The weights in
    float32 are taken, not the 8-bit ones that the package would choose, whose pinball loss is 0.3 % more; they are too
    few for bfloat16 to pay. Moves that were clipped, bent (asinh) or divided by a recent volatility gained nothing
    that was there on one half of the judged bars and on the other.
    """

    name = "fracast"
    minimum_bars = 8
    variants: ClassVar[Mapping[str, str]] = {"0": "ztxtech/fracast-0"}

    def __init__(self, variant: str, options: Options) -> None:
        options.unused(self.name, "samples", "temperature", "top_p", "top_k", "clip", "trim", "dtype")
        self.context = CONTEXT if options.context is None else options.context
        if not self.minimum_bars <= self.context <= LONGEST:
            raise UsageError(f"model '{self.name}' reads {self.minimum_bars} to {LONGEST} bars, not {self.context}")
        package = importlib.util.find_spec("fracast")
        if package is None or package.origin is None:
            raise MissingExtra(f"model '{self.name}'", self.name)
        own = str(Path(package.origin).with_name("weights")) if options.revision is None else None
        self._options = options
        self._weights = locate(self.variants[variant], options.weights or own, options.revision)
        self.representation = "moves" if options.representation == "auto" else options.representation
        self.parameters = {
            "variant": variant,
            "weights": self._weights.digest,
            "context": self.context,
            "representation": self.representation,
        }

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.fracast_network import load

        return load(self.context, self._weights, self._options)
