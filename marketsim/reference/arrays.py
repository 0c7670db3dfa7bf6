"""Functions for both arrays and tensors."""

from __future__ import annotations

from typing import Any

Array = Any  # a tensor on any device, or a numpy array


def namespace(x: Array) -> Any:
    """The array namespace of `x`; torch for tensors, whose functions of numpy's names are the ones called here."""
    if hasattr(x, "__array_namespace__"):
        return x.__array_namespace__()
    import torch

    return torch
