"""Array operations by the array API, in the namespace of their arguments."""

from __future__ import annotations

import math
from typing import Any

Array = Any  # of numpy


def namespace(x: Array) -> Any:
    """The array namespace of `x`."""
    return x.__array_namespace__()


def count_below(x: Array, at: Array) -> Array:
    """How many of the increasing `x` `[B, E]` lie strictly below each of `at` `[B, K]`."""
    xp = namespace(x)
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
