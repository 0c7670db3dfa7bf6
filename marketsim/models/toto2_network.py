"""The network of the Toto 2.0 family: one pass over a context to the quantiles of the value that follows it."""

from __future__ import annotations

import warnings
from functools import lru_cache
from pathlib import Path

import torch
from torch import Tensor

from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.inference import Inference, Network, reading
from marketsim.models.options import Options
from marketsim.models.weights import Weights

with warnings.catch_warnings():
    warnings.filterwarnings("ignore", message="Using `json`-module", category=UserWarning)  # gluonts
    from toto2.model import Toto2Model

MICRO_BATCH = 32  # contexts


class Toto2Network(Network):
    """A checkpoint and the vendor's own forecast: that runs its head on the last patch alone, and draws nothing."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        with reading("toto2", folder):
            self.model = Toto2Model.from_pretrained(folder).eval()
        self.patch: int = self.model.config.patch_size
        self.levels = [self.model.output_head.knots.index(level) for level in LEVELS]

    def quantiles(self, series: Tensor) -> Tensor:
        """See `Network.quantiles`; whole patches are read, of which there is one at least."""
        quantiles: Tensor = self(series[..., series.shape[-1] % self.patch :])
        return quantiles

    def forward(self, series: Tensor) -> Tensor:
        """Quantiles `[N, C, Q]` after `series` `[N, C, L]`, whose channels form one group."""
        inputs = {
            "target": series,
            "target_mask": torch.ones_like(series, dtype=torch.bool),
            "series_ids": torch.zeros(series.shape[:2], dtype=torch.long, device=series.device),
        }
        quantiles: Tensor = self.model.forecast(inputs, 1, has_missing_values=False)  # [knots, N, C, 1]
        return quantiles[self.levels, ..., 0].movedim(0, -1)


@lru_cache(maxsize=1)
def load(weights: Weights, options: Options) -> Inference:
    """The network of a checkpoint, once per process."""
    return Inference.open(Toto2Network(weights.folder), options, MICRO_BATCH)
