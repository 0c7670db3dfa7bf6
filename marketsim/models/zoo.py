"""`zoo`: foundation models through skforecast's adapters, zero-shot; nothing here imports torch or skforecast."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from marketsim.errors import MissingExtra, UsageError
from marketsim.models.options import Options
from marketsim.models.weights import Weights, is_cached
from marketsim.models.zero_shot import ZeroShot

if TYPE_CHECKING:
    from marketsim.models.inference import Inference


class ZooModel(Struct, frozen=True):
    """A model that an adapter of skforecast serves, as skforecast describes it."""

    repository: str  # of its weights; the adapter is chosen by it
    package: str  # module of the backend
    longest: int  # bars that it reads
    license: str  # of the weights
    license_url: str
    commercial: bool  # whether commercial use is free


MODELS = {
    "chronos-2-small": ZooModel(
        repository="autogluon/chronos-2-small",
        package="chronos",
        longest=8192,
        license="Apache-2.0",
        license_url="https://huggingface.co/autogluon/chronos-2-small",
        commercial=True,
    ),
    "t0": ZooModel(
        repository="theforecastingcompany/t0-alpha",
        package="t0",
        longest=8192,
        license="Apache-2.0",
        license_url="https://huggingface.co/theforecastingcompany/t0-alpha",
        commercial=True,
    ),
    "timesfm-2.5": ZooModel(
        repository="google/timesfm-2.5-200m-pytorch",
        package="timesfm",
        longest=16_384,
        license="Apache-2.0",
        license_url="https://huggingface.co/google/timesfm-2.5-200m-pytorch",
        commercial=True,
    ),
    "timesfm-3": ZooModel(
        repository="google/timesfm-3.0-pytorch",
        package="timesfm3",
        longest=8192,
        license="timesfm-non-commercial-license-v1.0",
        license_url="https://huggingface.co/google/timesfm-3.0-pytorch/blob/main/LICENSE",
        commercial=False,
    ),
}


class Zoo(ZeroShot):
    """Whichever model skforecast's `FoundationModel` runs, each channel a series by itself, one call a batch.

    The model sees the bars' moves in per cent, or `100 * log(X / last close)` with `representation` "prices". Weights
    are looked for as any model's are, and loaded from where they were found and digested; those whose license
    restricts commercial use are never downloaded without being asked for.
    """

    name = "zoo"
    minimum_bars = 32
    variants: ClassVar[Mapping[str, str]] = {name: model.repository for name, model in MODELS.items()}
    licenses: ClassVar[Mapping[str, str]] = {
        name: model.license if model.commercial else f"{model.license}, which restricts commercial use"
        for name, model in MODELS.items()
    }

    usual_context = 512
    usual_representation = "moves"
    unused: ClassVar[tuple[str, ...]] = ("samples", "temperature", "top_p", "top_k", "clip", "trim", "dtype", "compile")

    def __init__(self, variant: str, options: Options) -> None:
        if importlib.util.find_spec(MODELS[variant].package) is None:
            raise MissingExtra(f"model 'zoo:{variant}'", self.name)
        super().__init__(variant, options)

    @classmethod
    def check_context(cls, variant: str, context: int) -> None:
        """See `ZeroShot.check_context`."""
        longest = MODELS[variant].longest
        if not cls.minimum_bars <= context <= longest:
            raise UsageError(f"model 'zoo:{variant}' reads {cls.minimum_bars} to {longest} bars, not {context}")

    @classmethod
    def installed(cls) -> bool:
        """Whether skforecast is installed."""
        return importlib.util.find_spec("skforecast") is not None

    def locate(self) -> Weights:
        """See `ZeroShot.locate`; UsageError before a download of weights whose license restricts commercial use."""
        model, chosen = MODELS[self.variant], self.options
        if not model.commercial and chosen.weights is None and not is_cached(model.repository, chosen.revision):
            raise UsageError(
                f"the weights {model.repository} are under {model.license}, which restricts commercial use "
                f"({model.license_url}); where that suits you, fetch them with `hf download {model.repository}`"
            )
        return super().locate()

    def load(self) -> Inference:
        """See `ZeroShot.load`."""
        from marketsim.models.zoo_network import load

        return load(MODELS[self.variant].repository, self.context, self.weights, self.options)
