"""`fracast`: a small convolutional network whose weights come with its package; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from marketsim.errors import UsageError
from marketsim.models.weights import Weights, locate
from marketsim.models.zero_shot import ZeroShot

if TYPE_CHECKING:
    from marketsim.models.inference import Inference

LONGEST = 2048  # bars that every context is padded to


class Fracast(ZeroShot):
    """Fracast-0, 85,001 parameters, zero-shot; every channel is a separate series.

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

    usual_context = 1024  # 512, 256 and 128 cost as much and lose 0.9, 1.5 and 2.9 % more; 2048 gain nothing
    usual_representation = "moves"
    unused = ("samples", "temperature", "top_p", "top_k", "clip", "trim", "dtype")

    @classmethod
    def check_context(cls, variant: str, context: int) -> None:
        """See `ZeroShot.check_context`."""
        if not cls.minimum_bars <= context <= LONGEST:
            raise UsageError(f"model '{cls.name}' reads {cls.minimum_bars} to {LONGEST} bars, not {context}")

    def locate(self) -> Weights:
        """See `ZeroShot.locate`: its package's own, unless a repository is asked for."""
        package = importlib.util.find_spec("fracast")
        assert package is not None and package.origin is not None
        own = str(Path(package.origin).with_name("weights")) if self.options.revision is None else None
        return locate(self.variants[self.variant], self.options.weights or own, self.options.revision)

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.fracast_network import load

        return load(self.context, self.weights, self.options)
