"""The networks of `kronos`: one pass over a context, and every sample of the next bars drawn after it.

Letters: N contexts of one length, L bars, K bars ahead, S samples, V tokens of a stage, D features, Q levels.

A bar is two tokens of ten bits: a coarse one, and a fine one that depends on it. The tokenizer turns bars into tokens
and back, the model forecasts tokens. The vendor's predictor copies the context once per sample before all of this;
here only what differs between samples is done for each: the fine token's cross attention, the decoding of each bar
that it drew, and, where more are to follow, one pass over that bar.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from kronos_finance._vendor.kronos_model import Kronos, KronosTokenizer
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from marketsim.errors import UsageError
from marketsim.forecasting.forecasts import LEVELS
from marketsim.models.device import out_of_memory
from marketsim.models.kronos_attention import Blocks, Memory, join, split
from marketsim.models.options import Sampling
from marketsim.models.uploads import Uploads
from marketsim.profiling import part

PRICES = 4  # of the six channels that a bar is decoded into
LARGEST = 1 - 2**-23  # uniform that times a sum, rounded to float32, still is below that sum

Floats = NDArray[np.float32]
Inputs = tuple[Floats, NDArray[np.int64], Floats, Floats]  # bars, stamps, uniforms and scale: Networks.quantiles
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
        self._powers = 2 ** torch.arange(tokenizer.codebook_dim // 2, device=device)
        self._half = dtype == "bfloat16"
        self._hidden = torch.compile(self._forward) if compiled else self._forward

    def quantiles(
        self, sampling: Sampling, count: int, prepare: Callable[[slice], Inputs]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Quantiles of the K bars after each of `count` contexts: `[N, K, 4, Q]` of their prices, in the units of
        `bars`, and `[N, K, 2, Q]` of the highest and the lowest price up to each, in the units that `scale` gives.

        `prepare` makes what goes in for a slice of them; on a GPU that goes on beside what it computes of others.
        `bars` `[N, L, 6]` float32, standardized; `stamps` `[N, L + K - 1, 5]` int64, minute, hour, weekday, day, month;
        `uniforms` `[N, K, 2, S]` float32 in [0, 1], for the coarse and the fine tokens; `scale` `[N, 2, 4]` float32,
        deviations and means of the prices. MemoryError where N is too many.
        """
        uploads, found = Uploads(self.device), []
        with out_of_memory(), torch.inference_mode():
            for some in uploads.parts(count):
                with part("preparation"):
                    inputs = prepare(some)
                with part("forward", len(inputs[0])):
                    given = [uploads.send(array) for array in inputs]
                    # Alone is as quick on a CPU, and no row's bits know another.
                    size = 1 if self.device.type == "cpu" else len(given[0])
                    found += [
                        self.at_once(sampling, *batch)
                        for batch in zip(*(torch.split(tensor, size) for tensor in given), strict=True)
                    ]
            with part("forward"):
                prices, extremes = (torch.cat(parts).cpu().numpy() for parts in zip(*found, strict=True))
        return prices.astype(np.float64), extremes.astype(np.float64)

    def at_once(
        self, sampling: Sampling, bars: Tensor, stamps: Tensor, uniforms: Tensor, scale: Tensor
    ) -> tuple[Tensor, Tensor]:
        """The same of tensors on the device, all contexts in one pass."""
        deviation, mean = scale[:, None, :1], scale[:, None, 1:]
        drawn = torch.stack(list(self.paths(sampling, bars, stamps, uniforms)), 1)
        price = drawn * deviation + mean
        extremes = price.amax(-1).cummax(1).values, price.amin(-1).cummin(1).values
        quantiles = at_levels(torch.cat([drawn, torch.stack(extremes, -1)], -1))
        return quantiles[:, :, :PRICES], quantiles[:, :, PRICES:]

    def paths(self, sampling: Sampling, bars: Tensor, stamps: Tensor, uniforms: Tensor) -> Iterator[Tensor]:
        """The prices `[N, S, 4]` of one bar after another, of every sample, in the units of `bars`."""
        length, (ahead, _, samples) = bars.shape[1], uniforms.shape[1:]
        context = self.encode(bars)
        hidden, blocks = self.read(context, stamps[:, :length], samples, ahead - 1)
        last, memory = hidden[:, -1:], self.remember(hidden, samples, ahead - 1)
        decoder = self.decoder(context, samples, ahead)
        for k in range(ahead):
            coarse = draw_each(self.coarse_logits(last), uniforms[:, k, 0], sampling)
            drawn = coarse, draw_each(self.fine_logits(last, memory, coarse), uniforms[:, k, 1], sampling)
            yield self.decode(decoder, drawn)[..., :PRICES]
            if k + 1 < ahead:
                last = self.follow(blocks, memory, drawn, stamps[:, length + k])

    def encode(self, bars: Tensor) -> tuple[Tensor, Tensor]:
        """Coarse and fine tokens `[N, L]` of bars `[N, L, 6]`."""
        coarse, fine = self.tokenizer.encode(bars, half=True)
        return coarse, fine

    def read(self, context: tuple[Tensor, Tensor], stamps: Tensor, samples: int, follow: int) -> tuple[Tensor, Blocks]:
        """The model's features `[N, L, D]` float32 of the tokens of a context; its blocks remember it, if bars follow.

        They have room for so many bars to `follow`, of each of the `samples`.
        """
        with self._precision():
            hidden, handed = self._hidden(context, stamps, follow > 0)
            return hidden.float(), Blocks(self.model.transformer[: len(handed)], handed, samples, follow)

    def _forward(self, context: tuple[Tensor, Tensor], stamps: Tensor, keep: bool) -> tuple[Tensor, list[Tensor]]:
        x = self.model.embedding(context) + self.model.time_emb(stamps)
        handed = []
        for layer in self.model.transformer:
            if keep:
                handed.append(x)
            x = layer(x)
        return self.model.norm(x), handed

    def follow(self, blocks: Blocks, memory: Memory, drawn: tuple[Tensor, Tensor], stamps: Tensor) -> Tensor:
        """The features `[N, S, D]` float32 of the bars that were `drawn`, at `stamps` `[N, 5]`; both remember them."""
        with self._precision():
            x = self.model.embedding(drawn) + self.model.time_emb(stamps[:, None])
            hidden: Tensor = self.model.norm(blocks.follow(x)).float()
        memory.add(*self._crossed(hidden))
        return hidden

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self._half)

    def coarse_logits(self, last: Tensor) -> Tensor:
        """Logits `[N, K, V]` of the next bar's coarse token, of features `[N, K, D]` of the newest bar: K is 1 or S."""
        logits: Tensor = self.model.head(last)
        return logits

    def remember(self, hidden: Tensor, samples: int, follow: int) -> Memory:
        """What the cross attention of the fine tokens keeps of the features of a context; see `read`."""
        return Memory(*self._crossed(hidden), samples, follow)

    def _crossed(self, hidden: Tensor) -> tuple[Tensor, Tensor]:
        cross = self.model.dep_layer.cross_attn
        return split(cross.k_proj(hidden), cross.n_heads), split(cross.v_proj(hidden), cross.n_heads)

    def fine_logits(self, last: Tensor, memory: Memory, coarse: Tensor) -> Tensor:
        """Logits `[N, S, V]` of the next bar's fine token, after each of the `coarse` ones `[N, S]`.

        All samples are queries of one cross attention, which in inference is neither rotated nor masked.
        """
        layer = self.model.dep_layer
        query = split(layer.cross_attn.q_proj(self.model.embedding.emb_s1(coarse)), layer.cross_attn.n_heads)
        attended = layer.cross_attn.out_proj(join(memory.attend(query)))
        logits: Tensor = self.model.head.cond_forward(layer.norm(last + attended))
        return logits

    def decoder(self, context: tuple[Tensor, Tensor], samples: int, bars: int) -> Blocks:
        """The blocks that turn tokens into bars, so many of each sample, after the tokens `[N, L]` of a context."""
        handed = [self._embedded(context)]
        for layer in self.tokenizer.decoder[:-1]:
            handed.append(layer(handed[-1]))
        return Blocks(self.tokenizer.decoder, handed, samples, bars)

    def decode(self, decoder: Blocks, drawn: tuple[Tensor, Tensor]) -> Tensor:
        """The bar `[N, S, 6]` that each of the `drawn` tokens `[N, S]` is after all that the `decoder` remembers."""
        bars: Tensor = self.tokenizer.head(decoder.follow(self._embedded(drawn)))
        return bars

    def _embedded(self, tokens: tuple[Tensor, Tensor]) -> Tensor:
        # The vendor's indices_to_bits makes its powers of two for every bar.
        bits = torch.cat([(token.unsqueeze(-1) & self._powers) != 0 for token in tokens], -1)
        scaled = (bits.float() * 2 - 1) * (1.0 / self.tokenizer.codebook_dim**0.5)
        embedded: Tensor = self.tokenizer.post_quant_embed(scaled)
        return embedded

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


def draw_each(logits: Tensor, uniforms: Tensor, sampling: Sampling) -> Tensor:
    """A token for each of the uniforms `[N, S]`, from logits `[N, 1, V]` that all share or `[N, S, V]` of their own."""
    if logits.shape[1] == 1:
        return draw(logits[:, 0], uniforms, sampling)
    return draw(logits, uniforms.unsqueeze(-1), sampling).squeeze(-1)


def at_levels(values: Tensor) -> Tensor:
    """Quantiles `[..., C, Q]` of `values` `[..., S, C]` over the samples, as `torch.quantile` has them."""
    below, above, way = _ranks(values.shape[-2], values.device)
    rising = values.sort(-2).values
    found = torch.lerp(rising.index_select(-2, below), rising.index_select(-2, above), way)
    return found.transpose(-1, -2)


@functools.lru_cache(maxsize=8)
def _ranks(samples: int, device: torch.device) -> tuple[Tensor, Tensor, Tensor]:
    """Between which samples `[Q]` each quantile lies, and how far from the first of them, `[Q, 1]`."""
    with torch.inference_mode(False):  # whoever else takes them
        rank = torch.tensor(LEVELS) * (samples - 1)
        way = (rank - rank.floor())[:, None]
        return rank.long().to(device), rank.ceil().long().to(device), way.to(device)
