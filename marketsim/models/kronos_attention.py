"""Attention over a context that all samples share, and over the bars drawn for each sample.

Letters: N contexts of one length, L bars, S samples, J bars that a sample drew so far, D features, H heads.

Keys and values of the context are kept once, not once per sample: all samples are queries of one attention over them,
and over the bars of all samples, of which a mask hides those of the others. Memory is taken once, for all bars that
will follow. Where many bars follow, what the mask hides would cost more than the attention itself: then the scores of
a sample's own bars are taken alone, and put beside those of the context before the softmax.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

HIDDEN = 4  # times the context: so many bars of all samples together are quicker behind a mask than one by one


class Memory:
    """The keys and values of one attention, with room for some bars that each of the samples will draw."""

    def __init__(self, keys: Tensor, values: Tensor, samples: int, bars: int) -> None:
        """`keys` and `values` `[N, H, L, D / H]` are those of the context."""
        self._context, self._samples, self._drawn = keys.shape[2], samples, 0
        self.keys, self.values = (_with_room(x, samples * bars) for x in (keys, values))  # [N, H, L + bars * S, D / H]
        self._visible = visible(self._context, samples, bars, keys.device) if bars else None

    def add(self, key: Tensor, value: Tensor) -> None:
        """One more bar of each sample, `[N, H, S, D / H]`."""
        start = self._context + self._drawn * self._samples
        self.keys[:, :, start : start + self._samples] = key
        self.values[:, :, start : start + self._samples] = value
        self._drawn += 1

    def attend(self, query: Tensor) -> Tensor:
        """What each of the queries `[N, H, S, D / H]` finds in the context and in the bars of its own sample."""
        own = self._drawn * self._samples
        if own > HIDDEN * self._context:
            return self._one_by_one(query)
        length = self._context + own
        mask = None if self._visible is None or not own else self._visible[:, :length]
        return F.scaled_dot_product_attention(query, self.keys[:, :, :length], self.values[:, :, :length], mask)

    def _one_by_one(self, query: Tensor) -> Tensor:
        """The same, of the queries' own bars alone."""
        (shared_keys, keys), (shared_values, values) = (self._parts(x) for x in (self.keys, self.values))
        own = (query.unsqueeze(2) * keys).sum(-1).transpose(2, 3)
        weights = (torch.cat([query @ shared_keys.mT, own], -1) / math.sqrt(query.shape[-1])).softmax(-1)
        shared, own = weights.tensor_split([self._context], -1)
        return shared @ shared_values + (own.transpose(2, 3).unsqueeze(-1) * values).sum(2)

    def _parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The context's part `[N, H, L, D / H]`, and that of the samples, `[N, H, J, S, D / H]`."""
        own = x[:, :, self._context : self._context + self._drawn * self._samples]
        return x[:, :, : self._context], own.reshape(*x.shape[:2], self._drawn, self._samples, -1)


class Blocks:
    """Transformer blocks that have read a context, each with its memory."""

    def __init__(self, layers: Iterable[Any], inputs: Sequence[Tensor], samples: int, bars: int) -> None:
        """`inputs` are the features `[N, L, D]` of the context that each of the `layers` was handed.

        There is room for so many `bars` of each of the `samples`.
        """
        self._layers = tuple(layers)
        if not self._layers:
            return
        self._next = inputs[0].shape[1]
        self._turns = turns(self._layers[0].self_attn, torch.arange(self._next + bars, device=inputs[0].device))
        self._memories = [
            self._read(layer.self_attn, layer.norm1(x), samples, bars)
            for layer, x in zip(self._layers, inputs, strict=True)
        ]

    def _read(self, attention: Any, context: Tensor, samples: int, bars: int) -> Memory:
        keys, values = (split(project(context), attention.n_heads) for project in (attention.k_proj, attention.v_proj))
        return Memory(rotate(keys, self._turns[:, : self._next]), values, samples, bars)

    def follow(self, x: Tensor) -> Tensor:
        """What the blocks make of one more bar of each sample, `[N, S, D]`."""
        place = self._turns[:, self._next : self._next + 1]
        self._next += 1
        for layer, memory in zip(self._layers, self._memories, strict=True):
            attention, own = layer.self_attn, layer.norm1(x)
            query, key, value = (
                split(project(own), attention.n_heads)
                for project in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            memory.add(rotate(key, place), value)
            x = x + attention.out_proj(join(memory.attend(rotate(query, place))))
            x = x + layer.ffn(layer.norm2(x))
        return x


@functools.lru_cache(maxsize=8)
def visible(length: int, samples: int, bars: int, device: torch.device) -> Tensor:
    """Which of the places `[S, L + bars * S]` a sample sees: the context, and of every bar its own."""
    with torch.inference_mode(False):  # whoever else takes it
        place = torch.arange(length + samples * bars, device=device) - length
        return (place < 0) | (place % samples == torch.arange(samples, device=device)[:, None])


def turns(attention: Any, positions: Tensor) -> Tensor:
    """Cosines and sines `[2, K, D / H / 2]` of the rotary embedding at `positions` `[K]` (Su et al. 2021)."""
    frequencies = attention.rotary.inv_freq
    angles = torch.outer(positions.to(frequencies.dtype), frequencies)
    return torch.stack([angles.cos(), angles.sin()])


def rotate(x: Tensor, by: Tensor) -> Tensor:
    """Rotary embedding of `x` `[N, H, K, D / H]` by `turns` at K positions or at one, halves as pairs."""
    cosine, sine = by
    left, right = x.chunk(2, -1)
    return torch.cat([left * cosine - right * sine, right * cosine + left * sine], -1)


def _with_room(x: Tensor, places: int) -> Tensor:
    """`[N, H, L, D / H]` with as many places after it, whose content is not read before it is written."""
    if not places:
        return x
    whole = x.new_empty(*x.shape[:2], x.shape[2] + places, x.shape[3])
    whole[:, :, : x.shape[2]] = x
    return whole


def split(x: Tensor, heads: int) -> Tensor:
    """`[N, K, D]` as `[N, H, K, D / H]`."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def join(x: Tensor) -> Tensor:
    """`[N, H, K, D / H]` as `[N, K, D]`."""
    return x.transpose(1, 2).flatten(2)
