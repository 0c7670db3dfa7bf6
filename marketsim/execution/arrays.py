"""Array operations that numpy and torch both take; each works in the namespace of what it is given."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Array = Any  # of numpy or torch, on any device


def namespace(x: Array) -> Any:
    """The array namespace of `x`."""
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    from array_api_compat import array_namespace  # numpy is its own namespace and starts faster without it

    return array_namespace(x)


def on_device(x: Array) -> bool:
    """Whether each operation on `x` is a launch of its own, so that few large ones are quicker than many small ones."""
    return not isinstance(x, np.ndarray)


def count_below(x: Array, at: Array) -> Array:
    """How many of the increasing `x` `[B, E]` lie strictly below each of `at` `[B, K]`."""
    xp = namespace(x)
    if on_device(x):
        return xp.searchsorted(x.contiguous(), at.contiguous())  # torch's takes a row for each problem
    if x.shape[1] * at.shape[1] <= 1 << 12:  # comparing all is quicker than a loop over the problems
        return xp.count_nonzero(x[:, None, :] < at[:, :, None], axis=2)
    return xp.stack([xp.searchsorted(*pair) for pair in zip(x, at, strict=True)])


def count_edges(edges: Array, level: Array) -> Array:
    """How many of the `edges` `[..., E]` lie strictly below each `level` `[...]`, where all else broadcasts."""
    if math.prod(level.shape) * edges.shape[-1] <= 1 << 12:  # one call is quicker than many, but not by element
        return namespace(level).count_nonzero(level[..., None] > edges, axis=-1)
    return sum(level > edges[..., e] for e in range(edges.shape[-1]))


def numbers(count: int, like: Array) -> Array:
    """The numbers `[count]` from zero, on the device of `like`."""
    return namespace(like).arange(count, device=like.device)


def pick(a: Array, index: Array) -> Array:
    """`a[b, index[b, k]]` `[B, K, ...]`; quicker than take_along_axis for the many small arrays here."""
    return a[numbers(a.shape[0], index)[:, None], index]


def share(x: Array, start: Array, end: Array) -> Array:
    """How far `x` is on the way from `start` to `end`, 0 to 1; 1 where they are one."""
    xp = namespace(x)
    wide = end > start
    return xp.where(wide, xp.clip((x - start) / xp.where(wide, end - start, 1.0), 0.0, 1.0), 1.0)
