"""A checkpoint of Toto 2.0's own architecture, small: a layer along time and one across channels, twice."""

import warnings
from pathlib import Path

import torch


def build(folder: Path) -> None:
    """Random weights and their configuration, as the vendor saves them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries below it
        from toto2 import Toto2Model, Toto2ModelConfig

    config = Toto2ModelConfig(
        patch_size=32,
        d_model=32,
        num_heads=2,
        num_layers=4,
        layer_group_size=2,
        num_variate_layers_per_group=1,
        variate_layer_first=False,
        residual_attn_ratio=Toto2ModelConfig.compute_residual_attn_ratio(4096, 32),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        Toto2Model(config).save_pretrained(folder)
