"""76 origins at once, one at a time, and in the batches that a model asks for. Run: scripts/bench batches [MODEL ...]

Models with weights, those that are installed, at their real sizes, on one thread: with the weights that come with the
package, or else with random ones, which take as long. Times are those of the process, so that other work on the machine
counts for none. Reported, not judged: what batch mates do to a forecast is judged by the contract tests.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from marketsim import registry
from marketsim.data import open_source
from marketsim.errors import MarketsimError
from marketsim.forecasting.forecasts import LEVELS
from marketsim.forecasting.keys import contexts_of
from marketsim.forecasting.protocols import ContextModel
from marketsim.models.options import Options

SYMBOL, ORIGINS = "ETHUSD", 76
CHECKPOINTS = {  # module:function that writes random weights into a folder; None where the package brings its own
    "chronos:bolt-tiny": "batches:bolt_tiny",
    "chronos:bolt-small": "batches:bolt_small",
    "chronos:2": "batches:two",
    "fracast": None,
    "kronos:small": "kronos:build",
    "toto:base": "toto_forecast:build",
    "toto2:22m": "batches:toto2",
}
FINE_LEVELS = [0.01, 0.05, *LEVELS, *(i / 20 for i in range(3, 18, 2)), 0.95, 0.99]

Array = NDArray[np.float64]
Batches = dict[str, tuple[float, Array]]  # seconds, and forecasts


def bolt_tiny(folder: Path) -> None:
    _bolt(folder, d_model=256, d_ff=1024, num_layers=4, num_decoder_layers=4, num_heads=4)


def bolt_small(folder: Path) -> None:
    _bolt(folder, d_model=512, d_ff=2048, num_layers=6, num_decoder_layers=6, num_heads=8)


def _bolt(folder: Path, **sizes: int) -> None:
    """Chronos-Bolt as it is published, but for its numbers."""
    from chronos.chronos_bolt import ChronosBoltModelForForecasting
    from transformers import T5Config

    shape = {"context_length": 2048, "prediction_length": 64, "input_patch_size": 16, "input_patch_stride": 16}
    config = T5Config(
        **sizes,
        d_kv=64,
        initializer_factor=0.05,
        pad_token_id=0,
        decoder_start_token_id=0,
        is_encoder_decoder=True,
        architectures=["ChronosBoltModelForForecasting"],
        chronos_pipeline_class="ChronosBoltPipeline",
        chronos_config={**shape, "quantiles": list(LEVELS), "use_reg_token": True},
    )
    ChronosBoltModelForForecasting(config).save_pretrained(folder)


def two(folder: Path) -> None:
    """Chronos-2 as it is published, but for its numbers."""
    from chronos import Chronos2Model
    from chronos.chronos2.config import Chronos2CoreConfig

    shape = {"context_length": 8192, "input_patch_size": 16, "input_patch_stride": 16, "output_patch_size": 16}
    config = Chronos2CoreConfig(
        d_model=768,
        d_kv=64,
        d_ff=3072,
        num_layers=12,
        num_heads=12,
        architectures=["Chronos2Model"],
        chronos_pipeline_class="Chronos2Pipeline",
        chronos_config={
            **shape,
            "quantiles": sorted(FINE_LEVELS),
            "use_reg_token": True,
            "use_arcsinh": True,
            "time_encoding_scale": 8192,
        },
    )
    Chronos2Model(config).save_pretrained(folder)


def toto2(folder: Path) -> None:
    """Toto 2.0 with 23 million parameters; how the published 22 million are shared out is a guess."""
    from toto2 import Toto2Model, Toto2ModelConfig

    config = Toto2ModelConfig(
        patch_size=32,
        d_model=384,
        num_heads=6,
        num_layers=12,
        layer_group_size=4,
        num_variate_layers_per_group=1,
        variate_layer_first=False,
        residual_attn_ratio=Toto2ModelConfig.compute_residual_attn_ratio(4096, 32),
    )
    Toto2Model(config).save_pretrained(folder)


def measure(name: str, folder: Path) -> tuple[int, int, Batches]:
    """Context, the batch that the model asks for, and what each size of a batch took and gave."""
    if place := CHECKPOINTS[name]:
        module, function = place.split(":")
        torch.manual_seed(0)
        write: Callable[[Path], None] = getattr(importlib.import_module(module), function)
        write(folder)
    kind, _, variant = name.partition(":")
    options = Options(weights=str(folder) if place else None, device="cpu")
    model: ContextModel = registry.load(registry.MODELS, "model", kind)(variant or registry.VARIANTS[kind][0], options)
    bars = open_source("sample").load(SYMBOL)
    given = contexts_of(model, bars, np.arange(len(bars) - ORIGINS, len(bars)))
    contexts, times = (np.stack(part) for part in zip(*map(given.at, range(ORIGINS)), strict=True))
    batch = model.batch
    model.forecast(contexts[:1], times[:1])  # what the first call alone costs
    found = {}
    for label, size in (("at once", ORIGINS), ("in batches", batch), ("singly", 1)):
        start = time.process_time()
        moves = [model.forecast(contexts[i : i + size], times[i : i + size]) for i in range(0, ORIGINS, size)]
        found[label] = time.process_time() - start, np.concatenate(moves)
    return model.context, batch, found


def main() -> None:
    names = sys.argv[1:] or list(CHECKPOINTS)
    if unknown := set(names) - set(CHECKPOINTS):
        sys.exit(f"unknown model {', '.join(sorted(unknown))} (known: {', '.join(CHECKPOINTS)})")
    torch.set_num_threads(1)
    print(f"{ORIGINS} origins of {SYMBOL}, one thread, seconds of the process")
    print("noise: the largest change of a move over the largest move\n")
    labels = ("at once", "in batches", "singly")
    print(f"{'model':19} {'context':>7} {'batch':>5} " + " ".join(f"{label:>10}" for label in labels) + "   noise")
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            try:
                context, batch, found = measure(name, Path(folder))
            except (MarketsimError, ImportError) as error:
                print(f"{name:19} {error}")
                continue
        times = " ".join(f"{found[label][0]:10.2f}" for label in labels)
        alone = found["singly"][1]
        noise = max(np.abs(found[label][1] - alone).max() for label in labels) / np.abs(alone).max()
        print(f"{name:19} {context:7} {batch:5} {times} {noise:7.1e}", flush=True)


if __name__ == "__main__":
    main()
