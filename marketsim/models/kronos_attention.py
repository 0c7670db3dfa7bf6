"""Attention over a context that all samples share, and over the bars that each of them drew after it.

Letters: N contexts of one length, L bars, S samples, J bars that a sample drew so far, D features, H heads.

Keys and values of the context are kept once, not once per sample: all samples are queries of one attention over them.
The scores of a sample's own bars are put beside theirs before the softmax, which therefore is that of the whole path.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


class Memory:
    """The keys and values of one attention."""

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys, values  # [N, H, L, D / H], of the context
        self.own: tuple[Tensor, Tensor] | None = None  # [N, H, S, J, D / H] each, of the bars that the samples drew

    @property
    def length(self) -> int:
        """L + J, the bars that a query sees."""
        return self.keys.shape[2] + (0 if self.own is None else self.own[0].shape[3])

    def add(self, key: Tensor, value: Tensor) -> None:
        """One more bar of each sample, `[N, H, S, D / H]`."""
        new = key.unsqueeze(3), value.unsqueeze(3)
        self.own = (
            new if self.own is None else (torch.cat([self.own[0], new[0]], 3), torch.cat([self.own[1], new[1]], 3))
        )

    def attend(self, query: Tensor) -> Tensor:
        """What each of the queries `[N, H, S, D / H]` finds in the context and in the bars of its own sample."""
        if self.own is None:
            return F.scaled_dot_product_attention(query, self.keys, self.values)
        keys, values = self.own
        scores = torch.cat([query @ self.keys.mT, (query.unsqueeze(3) * keys).sum(-1)], -1)
        weights = (scores / math.sqrt(query.shape[-1])).softmax(-1)
        shared, own = weights.tensor_split([self.keys.shape[2]], -1)
        return shared @ self.values + (own.unsqueeze(-1) * values).sum(3)


class Blocks:
    """Transformer blocks that have read a context, each with its memory."""

    def __init__(self, layers: Iterable[Any], inputs: Sequence[Tensor]) -> None:
        """`inputs` are the features `[N, L, D]` of the context that each of the `layers` was handed."""
        self._layers = tuple(layers)
        self._memories = [_read(layer.self_attn, layer.norm1(x)) for layer, x in zip(self._layers, inputs, strict=True)]

    def follow(self, x: Tensor) -> Tensor:
        """What the blocks make of one more bar of each sample, `[N, S, D]`."""
        for layer, memory in zip(self._layers, self._memories, strict=True):
            attention, own = layer.self_attn, layer.norm1(x)
            place = torch.tensor([memory.length], device=x.device)
            query, key, value = (
                split(project(own), attention.n_heads)
                for project in (attention.q_proj, attention.k_proj, attention.v_proj)
            )
            memory.add(rotate(key, place, attention), value)
            x = x + attention.out_proj(join(memory.attend(rotate(query, place, attention))))
            x = x + layer.ffn(layer.norm2(x))
        return x


def _read(attention: Any, context: Tensor) -> Memory:
    keys, values = (split(project(context), attention.n_heads) for project in (attention.k_proj, attention.v_proj))
    return Memory(rotate(keys, torch.arange(context.shape[1], device=context.device), attention), values)


def rotate(x: Tensor, positions: Tensor, attention: Any) -> Tensor:
    """Rotary embedding of `x` `[N, H, K, D / H]` at `positions` `[K]` or `[1]` (Su et al. 2021), halves as pairs."""
    frequencies = attention.rotary.inv_freq
    angles = torch.outer(positions.to(frequencies.dtype), frequencies)
    cosine, sine = angles.cos(), angles.sin()
    left, right = x.chunk(2, -1)
    return torch.cat([left * cosine - right * sine, right * cosine + left * sine], -1)


def split(x: Tensor, heads: int) -> Tensor:
    """`[N, K, D]` as `[N, H, K, D / H]`."""
    return x.reshape(*x.shape[:2], heads, -1).transpose(1, 2)


def join(x: Tensor) -> Tensor:
    """`[N, H, K, D / H]` as `[N, K, D]`."""
    return x.transpose(1, 2).flatten(2)
