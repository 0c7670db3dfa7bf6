"""The network of `timesfm`. Letters: N contexts, C channels, L bars, Q levels."""

from __future__ import annotations

import functools
from pathlib import Path

import torch
from torch import Tensor
from transformers import TimesFm2_5ModelForPrediction

from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.inference import Inference, Network, reading
from marketsim.models.loading_bar import without_loading_bar
from marketsim.models.options import Options
from marketsim.models.weights import Weights

MICRO_BATCH = 8  # contexts a call on a CPU


@functools.cache
def load(context: int, weights: Weights, options: Options) -> Inference:
    """The network in the folder of `weights`, loaded once per process; UsageError where none reads `context` bars."""
    return Inference.open(TimesfmNetwork(weights.folder, context), options, MICRO_BATCH)


class TimesfmNetwork(Network):
    """A checkpoint and the vendor's own forward pass, of which the first step's quantiles are kept."""

    def __init__(self, folder: Path, context: int) -> None:
        super().__init__()
        with reading("timesfm", folder), without_loading_bar():
            model, found = TimesFm2_5ModelForPrediction.from_pretrained(
                folder, dtype=torch.float32, use_safetensors=True, local_files_only=True, output_loading_info=True
            )
            if absent := sorted(found["missing_keys"]):  # which would be random
                raise ValueError(f"{len(absent)} tensors are absent, {absent[0]} among them")
            if context > model.config.context_length:
                raise ValueError(f"it reads {model.config.context_length} bars at most, not {context}")
            quantiles = [round(level, 6) for level in model.config.quantiles]
            self.places = [1 + quantiles.index(level) for level in LEVELS]  # 0 is the mean
        self.model = model.eval().requires_grad_(False)
        self.patch: int = model.config.patch_length

    def quantiles(self, series: Tensor) -> Tensor:
        """See `Network.quantiles`; whole patches are read."""
        contexts, channels, _ = series.shape
        result: Tensor = self(series[..., series.shape[-1] % self.patch :].flatten(0, 1))
        return result.reshape(contexts, channels, -1)

    def forward(self, series: Tensor) -> Tensor:
        """Quantiles `[N * C, Q]` of the value after `series` `[N * C, L]`, L a multiple of the patch size.

        What the vendor would do by itself: pad every series to 16,384 bars, clip quantiles at 0 where no series of the
        batch is negative, and run all twice. Its quantiles come unsorted.
        """
        found = self.model(
            past_values=series,
            forecast_context_len=series.shape[-1],
            truncate_negative=False,
            force_flip_invariance=False,
        )
        quantiles: Tensor = found.full_predictions[:, 0, self.places].float()
        return quantiles.sort(-1).values
