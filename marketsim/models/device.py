"""The device that a network runs on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from marketsim.errors import UsageError


def open_device(name: str) -> torch.device:
    """The device called `name`: cpu, cuda or mps, or the best there is for auto. UsageError where there is none."""
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = next(device for device, usable in there.items() if usable)
    if not there[name]:
        raise UsageError(f"--device {name}: not available here (available: {', '.join(d for d in there if there[d])})")
    return torch.device(name)


def free_memory(device: torch.device) -> int | None:
    """Free bytes on a GPU; None if unknown."""
    if device.type != "cuda":
        return None
    return torch.cuda.mem_get_info(device)[0]


@contextmanager
def out_of_memory() -> Iterator[None]:
    """Turns the out-of-memory errors of torch into MemoryError, after giving its cached blocks back."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        torch.cuda.empty_cache()
        raise MemoryError(str(error)) from error
