"""One stored forecast: its encoding, and the digest that detects damage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from marketsim.digests import blake2b

DTYPE = "<f8"
DIGEST_BYTES = 16


class Row(NamedTuple):
    """A forecast as both caches store it, in the order of their columns."""

    model: str  # fingerprint
    key: bytes  # digest of what the model was given
    symbol: str
    made: int  # unix seconds
    dtype: str
    shape: str  # such as "4,9"
    value: bytes  # raw, little-endian
    digest: bytes  # of all columns before it

    @classmethod
    def encode(cls, model: str, key: bytes, symbol: str, made: int, moves: NDArray[np.float64]) -> Row:
        """The row that stores `moves` of any shape."""
        shape = ",".join(map(str, moves.shape))
        columns = (model, key, symbol, made, DTYPE, shape, moves.astype(DTYPE).tobytes())
        return cls(*columns, _digest(columns))

    def decode(self) -> NDArray[np.float64] | None:
        """The forecast; None where the row is not what was written, whatever a database returned for it."""
        try:
            if self.dtype != DTYPE or self.digest != _digest(self[:-1]):
                return None
            return np.frombuffer(self.value, DTYPE).reshape([int(n) for n in self.shape.split(",")]).astype(np.float64)
        except (AttributeError, TypeError, ValueError):
            return None


COLUMNS = ", ".join(Row._fields)


def _digest(columns: Sequence[Any]) -> bytes:
    """BLAKE2b over all columns, each after its length, so that none can lend a byte to the next."""
    digest = blake2b(digest_size=DIGEST_BYTES)
    for column in columns:
        part = column if isinstance(column, bytes) else str(column).encode()
        digest.update(len(part).to_bytes(8, "little") + part)
    return digest.digest()
