"""Uploads of arrays to a device, overlapping with its computation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

PARTS = 4  # of a batch on a GPU: the first one alone is waited for


class Uploads:
    """Copies to a device; to a GPU from pinned memory and on a stream of their own, beside what it computes."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]

    def parts(self, count: int) -> list[slice]:
        """The parts in which a batch of `count` is prepared and sent: one, but for a GPU, which works in between."""
        size = count if self._stream is None else -(-count // PARTS)
        return [slice(start, start + size) for start in range(0, count, max(size, 1))]

    def send(self, array: NDArray[np.float32] | NDArray[np.int64]) -> Tensor:
        """The array on the device, for what is computed there from now on."""
        tensor = torch.from_numpy(array)
        if self._stream is None:
            return tensor.to(self.device)
        computing = torch.cuda.current_stream(self.device)
        with torch.cuda.stream(self._stream):
            sent = tensor.pin_memory().to(self.device, non_blocking=True)
        computing.wait_stream(self._stream)
        sent.record_stream(computing)
        return sent
