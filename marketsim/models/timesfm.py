"""`timesfm`: TimesFM 2.5 through transformers, zero-shot, quantiles from its head; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from marketsim.errors import UsageError
from marketsim.models.zero_shot import ZeroShot

if TYPE_CHECKING:
    from marketsim.models.inference import Inference

LONGEST = 16_384  # bars


class Timesfm(ZeroShot):
    """TimesFM 2.5, 200 million parameters, zero-shot; every channel is a separate series.

    Source: A. Das et al., "A Decoder-Only Foundation Model for Time-Series Forecasting", ICML, 2024; weights
    google/timesfm-2.5-200m-transformers, Apache-2.0.

    The network sees the bars' moves in per cent, or `100 * log(X / last close)` with `representation` "prices", and
    standardizes each series itself. Contexts are cut to whole patches of 32 bars: the vendor pads others with zeros,
    which its mean and deviation then count. Nothing is drawn, hence neither samples nor a seed. The vendor's second
    pass over the mirrored series, which doubles the time, is left out.
    """

    name = "timesfm"
    minimum_bars = 32
    variants: ClassVar[Mapping[str, str]] = {"2.5": "google/timesfm-2.5-200m-transformers"}

    patch = 32  # bars
    usual_context = 512
    usual_representation = "moves"
    unused: ClassVar[tuple[str, ...]] = ("samples", "temperature", "top_p", "top_k", "clip", "trim")

    @classmethod
    def check_context(cls, variant: str, context: int) -> None:
        """See `ZeroShot.check_context`: whole patches."""
        if not cls.patch <= context <= LONGEST or context % cls.patch:
            raise UsageError(
                f"model '{cls.name}' reads contexts in multiples of {cls.patch} bars up to {LONGEST}, such as "
                f"{cls.usual_context}, not {context}"
            )

    @classmethod
    def installed(cls) -> bool:
        """Whether transformers is installed, in a release with this model; it is not imported."""
        found = importlib.util.find_spec("transformers")
        if found is None or found.origin is None:
            return False
        return Path(found.origin).with_name("models").joinpath("timesfm2_5").is_dir()

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.timesfm_network import load

        return load(self.context, self.weights, self.options)
