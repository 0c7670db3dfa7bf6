"""A network on its device: series go there once, and only quantiles come back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from msgspec import Struct
from numpy.typing import NDArray
from torch import Tensor, nn

from marketsim.errors import UsageError
from marketsim.models.device import free_memory, open_device, out_of_memory
from marketsim.models.one_thread import ONE_THREAD
from marketsim.models.options import Options
from marketsim.models.uploads import Uploads
from marketsim.profiling import part

CONTEXT_BYTES = 64 << 20  # device memory that a context takes at most, in the largest of the networks
LARGEST_BATCH = 1024  # contexts; more do not make a device faster


class Network(nn.Module, ABC):
    """A network in eval mode; what `compile` speeds up is its `forward`."""

    @abstractmethod
    def quantiles(self, series: Tensor) -> Tensor:
        """Quantiles `[N, C, Q]` at LEVELS of the value after `series` `[N, C, L]`, on the device of both."""


class Inference(Struct, frozen=True):
    """A network that is ready to forecast."""

    network: Network
    device: torch.device
    batch: int  # contexts that pay in one call
    bfloat16: bool

    @classmethod
    def open(cls, network: Network, options: Options, micro_batch: int) -> Inference:
        """Puts `network` on the device; a CPU is fastest with `micro_batch` contexts a call, which suit its cache."""
        device = open_device(options.device)
        with out_of_memory():
            network.to(device)
        if options.compile:
            network.compile()
        free = free_memory(device)
        batch = micro_batch if free is None else min(max(free // CONTEXT_BYTES, 1), LARGEST_BATCH)
        return cls(network, device, batch, options.dtype == "bfloat16")

    def quantiles(self, count: int, prepare: Callable[[slice], NDArray[np.float32]]) -> NDArray[np.float64]:
        """Quantiles `[N, C, Q]` of the value after `count` series; MemoryError where the device has no room.

        `prepare` makes those of a slice, `[N, C, L]`. On a GPU that goes on beside what the network does with others.
        """
        uploads, found = Uploads(self.device), []
        with (
            ONE_THREAD,
            out_of_memory(),
            torch.inference_mode(),
            torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16),
        ):
            for rows in uploads.parts(count):
                with part("preparation"):
                    series = prepare(rows)
                with part("forward", len(series)):
                    found.append(self.network.quantiles(uploads.send(series)))
            with part("forward"):
                result = torch.cat(found).cpu()
        quantiles: NDArray[np.float64] = result.double().numpy()
        return quantiles


@contextmanager
def reading(model: str, folder: Path) -> Iterator[None]:
    """Turns what a vendor's loader raises on files that are not the model's into one line."""
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:  # of any kind: the loader trusts its files
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(
            f"{folder} does not hold weights of model '{model}' ({type(error).__name__}: {reason})"
        ) from error
