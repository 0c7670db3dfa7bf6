"""The networks of `chronos`. Letters: N contexts, C channels, L bars, Q levels.

The vendor's `predict_quantiles` wraps these calls in a data set and brings what it forecasts for dozens of steps to the
host; here the first step's quantiles leave the device, and nothing else.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from pathlib import Path

import torch
from chronos import BaseChronosPipeline, Chronos2Pipeline, ChronosBoltPipeline
from safetensors import safe_open
from torch import Tensor, nn

from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.inference import Inference, Network, reading
from marketsim.models.loading_bar import without_loading_bar
from marketsim.models.options import Options
from marketsim.models.weights import Weights

MICRO_BATCH = 8  # contexts a call on a CPU
GROUPS = 64  # contexts a pass of Chronos-2, whose attention over groups grows with their square


@functools.cache
def load(family: str, context: int, weights: Weights, options: Options) -> Inference:
    """The network in the folder of `weights`, loaded once per process; UsageError where none of the `family` is there.

    The vendor's loader chooses its class by the files; it leaves tensors that they lack at random numbers, and its
    networks drop bars that they cannot read.
    """
    kind: type[Bolt | Two] = Two if family == "2" else Bolt
    with reading(f"chronos:{family}", weights.folder), without_loading_bar():
        pipeline = BaseChronosPipeline.from_pretrained(
            weights.folder, dtype="float32", use_safetensors=True, local_files_only=True
        )
        if not isinstance(pipeline, kind.pipeline):
            raise ValueError(f"it is a {type(pipeline).__name__}")
        if context > pipeline.model_context_length:
            raise ValueError(f"it reads {pipeline.model_context_length} bars at most, not {context}")
        _check_complete(pipeline.model, weights.folder)
        network = kind(pipeline)
    return Inference.open(network.eval().requires_grad_(False), options, MICRO_BATCH)


class Bolt(Network):
    """Chronos-Bolt: every channel is a series by itself."""

    pipeline = ChronosBoltPipeline

    def __init__(self, pipeline: ChronosBoltPipeline) -> None:
        super().__init__()
        self.model = pipeline.model
        self.levels = [pipeline.quantiles.index(level) for level in LEVELS]

    def quantiles(self, series: Tensor) -> Tensor:
        """See `Network.quantiles`."""
        contexts, channels, _ = series.shape
        result: Tensor = self(series.flatten(0, 1)).reshape(contexts, channels, -1)
        return result

    def forward(self, series: Tensor) -> Tensor:
        """Quantiles `[N * C, Q]` of the value after `series` `[N * C, L]`."""
        quantiles: Tensor = self.model(context=series).quantile_preds
        return quantiles[:, self.levels, 0]


class Two(Network):
    """Chronos-2: the channels of a context are a group, and attend to each other and to no other group."""

    pipeline = Chronos2Pipeline

    def __init__(self, pipeline: Chronos2Pipeline) -> None:
        super().__init__()
        self.model = pipeline.model
        self.levels = [pipeline.quantiles.index(level) for level in LEVELS]

    def quantiles(self, series: Tensor) -> Tensor:
        """See `Network.quantiles`."""
        return torch.cat([self(some) for some in torch.split(series, GROUPS)])

    def forward(self, series: Tensor) -> Tensor:
        """Quantiles `[N, C, Q]` of the value after `series` `[N, C, L]`."""
        contexts, channels, _ = series.shape
        groups = torch.arange(contexts, device=series.device).repeat_interleave(channels)
        quantiles: Tensor = self.model(context=series.flatten(0, 1), group_ids=groups).quantile_preds
        return quantiles[:, self.levels, 0].reshape(contexts, channels, -1)


def _check_complete(model: nn.Module, folder: Path) -> None:
    """ValueError where the files in `folder` lack a tensor of `model`."""
    stored: set[str] = set()
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            stored.update(file.keys())
    names = defaultdict(set)  # of each tensor, which may be shared under several
    for name, tensor in model.named_parameters(remove_duplicate=False):
        names[tensor.data_ptr()].add(name)
    if absent := sorted(min(spellings) for spellings in names.values() if not spellings & stored):
        raise ValueError(f"{len(absent)} tensors are absent, {absent[0]} among them")
