"""The networks of `kronos`: one pass over a context, and every sample of the next bar drawn after it.

Letters: N contexts of one length, L bars, S samples, V tokens of a stage, D features, H heads, Q levels.

A bar is two tokens of ten bits: a coarse one, and a fine one that depends on it. The tokenizer turns bars into tokens
and back, the model forecasts tokens. The vendor's predictor copies the context once per sample before all of this;
here only what differs between samples is done for each: the fine token's cross attention, and the decoding of one bar.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from kronos_finance._vendor.kronos_model import Kronos, KronosTokenizer
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from marketsim.errors import UsageError
from marketsim.forecasts import LEVELS
from marketsim.models.device import out_of_memory
from marketsim.models.kronos import Sampling

PRICES = 4  # of the six channels that a bar is decoded into
LARGEST = 1 - 2**-23  # uniform that times a sum, rounded to float32, still is below that sum

Array = NDArray[np.float32] | NDArray[np.int64]
Module = TypeVar("Module", bound=nn.Module)


@functools.cache
def open_networks(model: Path, tokenizer: Path, device: torch.device, dtype: str, compiled: bool) -> Networks:
    """The networks in two folders, loaded once per process; UsageError where they are not two that belong together."""
    loaded, coder = load(Kronos, model), load(KronosTokenizer, tokenizer)
    if (loaded.s1_bits, loaded.s2_bits) != (coder.s1_bits, coder.s2_bits):
        raise UsageError(f"{tokenizer} is not the tokenizer of {model}: its tokens have other bits")
    return Networks(loaded, coder, device, dtype, compiled)


def load(kind: type[Module], folder: Path) -> Module:
    """A network of `kind` from `config.json` and `model.safetensors`, ready to use; UsageError where there is none."""
    try:
        config = json.loads((folder / "config.json").read_text())
        known = inspect.signature(kind).parameters
        with torch.random.fork_rng(devices=[]):  # it fills itself with random numbers first
            network = kind(**{key: value for key, value in config.items() if key in known})
        absent = network.load_state_dict(load_file(folder / "model.safetensors"), strict=False).missing_keys
    except (OSError, ValueError, TypeError, RuntimeError, SafetensorError) as error:
        raise UsageError(f"{folder} does not hold a {kind.__name__}: {' '.join(str(error).split())}") from error
    if lost := sorted(set(absent) & dict(network.named_parameters()).keys()):
        raise UsageError(f"{folder} does not hold a {kind.__name__}: model.safetensors lacks {lost[0]}")
    return network.eval().requires_grad_(False)


class Networks:
    """A model and its tokenizer on a device. The tokenizer is always float32: bfloat16 would turn bits of tokens."""

    def __init__(
        self, model: Kronos, tokenizer: KronosTokenizer, device: torch.device, dtype: str, compiled: bool
    ) -> None:
        self.model, self.tokenizer = model.to(device), tokenizer.to(device)
        self.device = device
        self._half = dtype == "bfloat16"
        self._hidden = torch.compile(self._forward) if compiled else self._forward

    def quantiles(self, bars: Array, stamps: Array, uniforms: Array, sampling: Sampling) -> NDArray[np.float64]:
        """Quantiles `[N, 4, Q]` of the next bar's prices, in the units of `bars`.

        `bars` `[N, L, 6]` float32, standardised; `stamps` `[N, L, 5]` int64, minute, hour, weekday, day, month;
        `uniforms` `[N, 2, S]` float32 in [0, 1], for the coarse and the fine tokens. MemoryError where N is too many.
        """
        size = 1 if self.device.type == "cpu" else len(bars)  # alone is as quick there, and no row's bits know another
        with out_of_memory(), torch.inference_mode():
            x, when, u = (torch.from_numpy(each).to(self.device) for each in (bars, stamps, uniforms))
            batches = [slice(start, start + size) for start in range(0, len(bars), size)]
            parts = [self.at_once(x[rows], when[rows], u[rows], sampling) for rows in batches]
            found: NDArray[np.float64] = torch.cat(parts).cpu().numpy().astype(np.float64)
            return found

    def at_once(self, bars: Tensor, stamps: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
        """The same of tensors on the device, all contexts in one pass."""
        context = self.encode(bars)
        hidden = self.hidden(context, stamps)
        coarse = draw(self.coarse_logits(hidden), uniforms[:, 0], sampling)
        fine = draw(self.fine_logits(hidden, coarse), uniforms[:, 1, :, None], sampling).squeeze(-1)
        prices = self.decode(context, (coarse, fine))[..., :PRICES]
        levels = torch.tensor(LEVELS, device=prices.device)
        return torch.quantile(prices, levels, dim=1).permute(1, 2, 0)

    def encode(self, bars: Tensor) -> tuple[Tensor, Tensor]:
        """Coarse and fine tokens `[N, L]` of bars `[N, L, 6]`."""
        coarse, fine = self.tokenizer.encode(bars, half=True)
        return coarse, fine

    def hidden(self, context: tuple[Tensor, Tensor], stamps: Tensor) -> Tensor:
        """The model's features `[N, L, D]` float32 of the tokens of a context."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self._half):
            return self._hidden(context, stamps).float()

    def _forward(self, context: tuple[Tensor, Tensor], stamps: Tensor) -> Tensor:
        x = self.model.embedding(context) + self.model.time_emb(stamps)
        for layer in self.model.transformer:
            x = layer(x)
        features: Tensor = self.model.norm(x)
        return features

    def coarse_logits(self, hidden: Tensor) -> Tensor:
        """Logits `[N, V]` of the next bar's coarse token."""
        logits: Tensor = self.model.head(hidden[:, -1])
        return logits

    def fine_logits(self, hidden: Tensor, coarse: Tensor) -> Tensor:
        """Logits `[N, S, V]` of the next bar's fine token, after each of the `coarse` ones `[N, S]`.

        All samples are queries of one cross attention, which in inference is neither rotated nor masked.
        """
        layer = self.model.dep_layer
        cross = layer.cross_attn
        query = split(cross.q_proj(self.model.embedding.emb_s1(coarse)), cross.n_heads)
        key, value = (split(project(hidden), cross.n_heads) for project in (cross.k_proj, cross.v_proj))
        attended = cross.out_proj(join(F.scaled_dot_product_attention(query, key, value)))
        logits: Tensor = self.model.head.cond_forward(layer.norm(hidden[:, -1:] + attended))
        return logits

    def decode(self, context: tuple[Tensor, Tensor], drawn: tuple[Tensor, Tensor]) -> Tensor:
        """The bar `[N, S, 6]` that each of the `drawn` tokens `[N, S]` is when it follows the `context`'s `[N, L]`."""
        before, bars = (
            self.tokenizer.post_quant_embed(self.tokenizer.indices_to_bits(tokens, half=True))
            for tokens in (context, drawn)
        )
        layers = self.tokenizer.decoder
        for layer in layers:
            bars = follow(layer, before, bars)
            if layer is not layers[-1]:
                before = layer(before)
        decoded: Tensor = self.tokenizer.head(bars)
        return decoded

    def bytes_per_context(self, length: int, samples: int) -> int:
        """Memory that one context takes at its widest, roughly and from above."""
        model, tokenizer = self.model, self.tokenizer
        prefix = length * max(6 * network.d_model + 4 * network.ff_dim for network in (model, tokenizer))
        second = samples * (8 * model.head.vocab_s2 + 6 * model.d_model)
        third = samples * (3 * tokenizer.n_heads * (length + 1) + 6 * tokenizer.d_model + 4 * tokenizer.ff_dim)
        needed: int = 4 * (prefix + length * model.d_model + max(second, third))
        return needed


def draw(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    """Tokens `[..., S]` from `logits` `[..., V]` by inversion of their distribution at `uniforms` `[..., S]`."""
    logits = logits / sampling.temperature
    if 0 < sampling.top_k < logits.shape[-1]:
        least = logits.topk(sampling.top_k).values[..., -1:]
        logits = logits.masked_fill(logits < least, -math.inf)
    chances = logits.softmax(-1)
    if sampling.top_p < 1:
        ordered = chances.sort(-1, descending=True).values
        kept = ordered.cumsum(-1) - ordered <= sampling.top_p
        chances = chances.masked_fill(chances < ordered.masked_fill(~kept, math.inf).amin(-1, keepdim=True), 0.0)
    below = chances.cumsum(-1)
    return torch.searchsorted(below, uniforms.clamp(max=LARGEST) * below[..., -1:], right=True)


def follow(layer: Any, before: Tensor, x: Tensor) -> Tensor:
    """What a transformer block makes of each `x` `[N, S, D]` as the one bar after `before` `[N, L, D]`."""
    attention, length = layer.self_attn, before.shape[1]
    earlier, own = layer.norm1(before), layer.norm1(x)
    past, now = torch.arange(length, device=x.device), torch.tensor([length], device=x.device)
    query = rotate(split(attention.q_proj(own), attention.n_heads), now, attention)
    key = rotate(split(attention.k_proj(own), attention.n_heads), now, attention)
    value = split(attention.v_proj(own), attention.n_heads)
    keys = rotate(split(attention.k_proj(earlier), attention.n_heads), past, attention)
    values = split(attention.v_proj(earlier), attention.n_heads)
    scores = torch.cat([query @ keys.mT, (query * key).sum(-1, keepdim=True)], -1) / math.sqrt(attention.head_dim)
    weights = scores.softmax(-1)
    x = x + attention.out_proj(join(weights[..., :-1] @ values + weights[..., -1:] * value))
    followed: Tensor = x + layer.ffn(layer.norm2(x))
    return followed


def rotate(x: Tensor, positions: Tensor, attention: Any) -> Tensor:
    """Rotary embedding of `x` `[N, H, K, D / H]` at `positions` `[K]` or `[1]` (Su et al. 2021), halves as pairs."""
    angles = torch.outer(positions.to(x.dtype), attention.rotary.inv_freq)
    cosine, sine = angles.cos(), angles.sin()
    left, right = x.chunk(2, -1)
    return torch.cat([left * cosine - right * sine, right * cosine + left * sine], -1)


def split(x: Tensor, heads: int) -> Tensor:
    """`[N, K, D]` as `[N, H, K, D / H]`."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def join(x: Tensor) -> Tensor:
    """`[N, H, K, D / H]` as `[N, K, D]`."""
    return x.transpose(1, 2).flatten(2)
