"""A checkpoint of Toto 1.0's own architecture, small: three layers, the last of which mixes channels."""

import json
import warnings
from pathlib import Path

import torch
from safetensors.torch import save_file

CONFIG = {
    "patch_size": 64,
    "stride": 64,
    "embed_dim": 32,
    "num_layers": 3,
    "num_heads": 2,
    "mlp_hidden_dim": 48,
    "dropout": 0.1,
    "spacewise_every_n_layers": 3,
    "spacewise_first": False,
    "scaler_cls": "<class 'model.scaler.CausalPatchStdMeanScaler'>",
    "output_distribution_classes": ["<class 'model.distribution.MixtureOfStudentTsOutput'>"],
    "output_distribution_kwargs": {"k_components": 5},
    "use_memory_efficient_attention": False,
    "stabilize_with_global": True,
    "scale_factor_exponent": 10.0,
}


def build(folder: Path, **changes: object) -> None:
    """Random weights and their configuration, with `changes`, as the published checkpoint keeps them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the libraries below it
        from toto.model.toto import Toto

    config = CONFIG | changes
    with torch.random.fork_rng():
        torch.manual_seed(0)
        toto = Toto(**config)
    save_file(toto.state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
