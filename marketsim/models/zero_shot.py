"""The common part of the zero-shot networks: per cent in, quantiles out; nothing here imports torch."""

from __future__ import annotations

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from marketsim.errors import MissingExtra
from marketsim.models.one_thread import ONE_THREAD
from marketsim.models.options import Options
from marketsim.models.scaling import to_moves, to_percent
from marketsim.models.weights import Weights, locate
from marketsim.profiling import part

if TYPE_CHECKING:
    from marketsim.models.inference import Inference


class ZeroShot(ABC):
    """A `ContextModel` whose network reads each channel as a series and returns quantiles; training data undated."""

    name: str
    version = "1"
    trained_until: str | None = "unknown"
    training = "no dated cut-off published"
    minimum_bars: int
    variants: ClassVar[Mapping[str, str]]  # and the repositories of their weights
    usual_context: ClassVar[int]  # bars
    usual_representation: ClassVar[str]  # of `scaling.to_percent`
    unused: ClassVar[tuple[str, ...]]  # options that it has no use for

    def __init__(self, variant: str, options: Options) -> None:
        """UsageError for options that it cannot make use of, MissingExtra where its package is not installed."""
        options.unused(self.name, *self.unused)
        self.context = self.usual_context if options.context is None else options.context
        self.check_context(variant, self.context)
        if not self.installed():
            raise MissingExtra(f"model '{self.name}'", self.name)
        self.variant, self.options = variant, options
        self.weights = self.locate()
        self.representation = self.usual_representation if options.representation == "auto" else options.representation

    @property
    def parameters(self) -> Mapping[str, float | int | str]:
        """The weights, and every option that it uses except the device."""
        choices = {"dtype": self.options.dtype, "trim": self.options.trim}
        return {
            "variant": self.variant,
            "weights": self.weights.digest,
            "context": self.context,
            "representation": self.representation,
            **{name: value for name, value in choices.items() if name not in self.unused and value is not None},
        }

    @property
    def batch(self) -> int:
        """Contexts that pay in one call on the device."""
        return self._inference().batch

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles of moves `[N, 4, Q]` after `contexts` `[N, L, 5]`; see `ContextModel.forecast`."""
        inference = self._inference()
        quantiles = inference.quantiles(len(contexts), lambda rows: to_percent(contexts[rows], self.representation))
        with part("post-processing"):
            return to_moves(quantiles)

    @classmethod
    @abstractmethod
    def check_context(cls, variant: str, context: int) -> None:
        """UsageError where it cannot read `context` bars."""

    @classmethod
    def installed(cls) -> bool:
        """Whether its package is installed, which has the name of its extra."""
        return importlib.util.find_spec(cls.name) is not None

    def locate(self) -> Weights:
        """Where its weights are."""
        return locate(self.variants[self.variant], self.options.weights, self.options.revision)

    @abstractmethod
    def load(self) -> Inference:
        """The network on its device, loaded once per process; this imports torch."""

    def _inference(self) -> Inference:
        with part("model load"), ONE_THREAD:
            return self.load()
