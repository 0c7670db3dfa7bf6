"""Checkpoints of Chronos-Bolt's and Chronos-2's own architectures, small, saved as the vendor saves them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

LEVELS = [i / 10 for i in range(1, 10)]
FINE_LEVELS = [0.01, 0.05, *(i / 20 for i in range(2, 19)), 0.95, 0.99]


def build(folder: Path) -> None:
    """A Chronos-Bolt, the same bytes every time."""
    bolt().save_pretrained(folder)


def build_two(folder: Path) -> None:
    """A Chronos-2, the same bytes every time."""
    two().save_pretrained(folder)


def bolt(levels: list[float] = LEVELS, **sizes: int) -> PreTrainedModel:
    """A Chronos-Bolt of random weights; `sizes` are those of its T5."""
    from chronos.chronos_bolt import ChronosBoltConfig, ChronosBoltModelForForecasting
    from transformers import T5Config

    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_decoder_layers": 2, "num_heads": 4} | sizes
    config = T5Config(
        **sizes,
        dropout_rate=0.1,
        feed_forward_proj="relu",
        initializer_factor=0.5,
        pad_token_id=0,
        decoder_start_token_id=0,
        is_encoder_decoder=True,
        architectures=["ChronosBoltModelForForecasting"],
        chronos_pipeline_class="ChronosBoltPipeline",
        chronos_config=vars(ChronosBoltConfig(2048, 64, 16, 16, levels, use_reg_token=True)),
    )
    return _seeded(ChronosBoltModelForForecasting, config)


def two(**sizes: int) -> PreTrainedModel:
    """A Chronos-2 of random weights; `sizes` are those of its encoder."""
    from chronos import Chronos2ForecastingConfig, Chronos2Model
    from chronos.chronos2.config import Chronos2CoreConfig

    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 64, "num_layers": 2, "num_heads": 4} | sizes
    config = Chronos2CoreConfig(
        **sizes,
        initializer_factor=0.1,
        architectures=["Chronos2Model"],
        chronos_pipeline_class="Chronos2Pipeline",
        chronos_config=vars(
            Chronos2ForecastingConfig(
                8192, 16, 16, 16, FINE_LEVELS, use_reg_token=True, use_arcsinh=True, time_encoding_scale=8192
            )
        ),
    )
    return _seeded(Chronos2Model, config)


def _seeded(kind: type[PreTrainedModel], config: PretrainedConfig) -> PreTrainedModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return kind(config).eval()
