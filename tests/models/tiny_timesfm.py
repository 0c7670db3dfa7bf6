"""A checkpoint of TimesFM 2.5's own architecture, small, saved as the vendor saves it."""

from pathlib import Path

import torch


def build(folder: Path, **sizes: object) -> None:
    """Random weights, the same bytes every time."""
    from transformers import TimesFm2_5Config, TimesFm2_5ModelForPrediction

    shape = {"hidden_size": 32, "intermediate_size": 32, "head_dim": 8, "num_hidden_layers": 2}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 4, "horizon_length": 16, "output_quantile_len": 32}
    config = TimesFm2_5Config(**(shape | heads | {"initializer_range": 0.3} | sizes))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        TimesFm2_5ModelForPrediction(config).eval().save_pretrained(folder)
