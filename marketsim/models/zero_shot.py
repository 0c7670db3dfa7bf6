"""What the zero-shot networks of series share: per cent in, quantiles out; nothing here imports torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from marketsim.models.scaling import to_moves, to_percent
from marketsim.profiling import part

if TYPE_CHECKING:
    from marketsim.models.inference import Inference


class ZeroShot(ABC):
    """A `ContextModel` whose network sees a series a channel, and says quantiles; its author dated no training data."""

    version = "1"
    trained_until: str | None = "unknown"
    training = "no dated cut-off published"
    context: int
    parameters: Mapping[str, float | int | str]
    representation: str  # of `percent.to_percent`

    @property
    def batch(self) -> int:
        """Contexts that pay in one call on the device."""
        return self._inference().batch

    def forecast(self, contexts: NDArray[np.float64], times: NDArray[np.datetime64]) -> NDArray[np.float64]:
        """Quantiles of moves `[N, 4, Q]` after `contexts` `[N, L, 5]`; see `ContextModel.forecast`."""
        inference = self._inference()
        with part("preparation"):
            series = to_percent(contexts, self.representation)
        with part("forward", len(series)):
            quantiles = inference.quantiles(series)
        with part("post-processing"):
            return to_moves(quantiles)

    @abstractmethod
    def load(self) -> Inference:
        """The network on its device, loaded once per process; this imports torch."""

    def _inference(self) -> Inference:
        with part("model load"):
            return self.load()
