"""The network of `fracast`. Letters: N contexts, C channels, L bars, W places of the network's input, Q levels."""

from __future__ import annotations

import functools

import torch
from fracast import FracastModel
from torch import Tensor
from torch.nn.functional import pad

from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.inference import Inference, Network, reading
from marketsim.models.options import Options
from marketsim.models.weights import Weights

MICRO_BATCH = 4  # contexts a call on a CPU
NARROWEST = 1e-5  # range of a series that moves less, as the vendor has it


@functools.cache
def load(context: int, weights: Weights, options: Options) -> Inference:
    """The network in the folder of `weights`, loaded once per process; UsageError where none reads `context` bars."""
    with reading("fracast", weights.folder):
        model = FracastModel.from_pretrained(weights.folder, weights="fp32")
        if context > model.context_length:
            raise ValueError(f"it reads {model.context_length} bars at most, not {context}")
        network = Fracast(model)
    return Inference.open(network.eval().requires_grad_(False), options, MICRO_BATCH)


class Fracast(Network):
    """The vendor's core and head, between a scaling that stays on the device."""

    def __init__(self, model: FracastModel) -> None:
        super().__init__()
        self.core, self.head = model.core, model.head
        self.places = model.context_length
        self.levels = [model.quantiles.index(level) for level in LEVELS]

    def quantiles(self, series: Tensor) -> Tensor:
        """See `Network.quantiles`."""
        contexts, channels, _ = series.shape
        result: Tensor = self(series.flatten(0, 1)).reshape(contexts, channels, -1)
        return result

    def forward(self, series: Tensor) -> Tensor:
        """Quantiles `[N * C, Q]` of the value after `series` `[N * C, L]`: scaled to 0 to 1, and padded on the left."""
        padding = (self.places - series.shape[1], 0)
        low, high = series.aminmax(dim=1, keepdim=True)
        span = (high - low).clamp(min=NARROWEST)
        values = pad((series - low) / span, padding)
        seen = pad(torch.ones_like(series, dtype=torch.bool), padding)
        hidden = self.core(values[:, None], seen[:, None], seen[:, None].float())
        ahead: Tensor = self.head.forward_horizon(hidden, last_obs=values[:, -1:], ctx=values, ctx_mask=seen)
        return ahead[:, 0, self.levels].float() * span + low
