"""A checkpoint of T0's own architecture, small, saved as the vendor saves it."""

from pathlib import Path

import torch
from t0 import T0Forecaster

LEVELS = [i / 10 for i in range(1, 10)]


def build(folder: Path) -> None:
    """Random weights, the same bytes every time."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = T0Forecaster(
            embed_dim=32,
            num_layers=2,
            num_heads=4,
            mlp_hidden_dim=64,
            patch_size=16,
            group_every_n=2,
            dropout=0.0,
            quantile_levels=LEVELS,
            scaler_use_arcsinh=False,  # random numbers would be raised to a power
        )
        model.eval().save_pretrained(folder)
