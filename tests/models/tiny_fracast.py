"""A checkpoint of Fracast-0's own architecture, narrow and flat, saved as its package keeps its own."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file


def build(folder: Path) -> None:
    """Random weights and their configuration, the same bytes every time."""
    from fracast import inference

    config = json.loads((Path(inference.__file__).with_name("weights") / "config.json").read_text())
    config["model"] |= {"d_model": 8, "n_stages": 3, "head_d_ff": 16}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        core, head = inference.build_from_cfg(config)
    parts = {"core": core, "head": head}
    state = {f"{part}.{name}": tensor for part, of in parts.items() for name, tensor in of.state_dict().items()}
    save_file(state, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config))
