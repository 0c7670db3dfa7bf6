"""Forecasts that were sealed before their bar was over, so that they cannot have known it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray


class SealedForecasts(Struct, frozen=True):
    """Digests of sealed forecasts."""

    digests: Mapping[str, Sequence[str]]  # by symbol and origin, see `key_of`

    @classmethod
    def of(cls, forecasts: Iterable[tuple[str, str, NDArray[np.float64]]]) -> SealedForecasts:
        """Those of a symbol, after an origin (UTC, ISO, to the second), with moves `[4, Q]` each."""
        digests: dict[str, list[str]] = {}
        for symbol, origin, moves in forecasts:
            digests.setdefault(key_of(symbol, origin), []).append(digest(moves))
        return cls(digests)

    def among(self, symbol: str, origins: NDArray[np.datetime64], moves: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Which of the forecasts `moves` `[N, 4, Q]`, after bars that open at `origins` `[N]`, are sealed ones."""
        keys = (key_of(symbol, str(origin)) for origin in origins.astype("datetime64[s]"))
        found = [digest(row) in self.digests.get(key, ()) for key, row in zip(keys, moves, strict=True)]
        return np.array(found, dtype=bool)


def key_of(symbol: str, origin: str) -> str:
    """The key of a forecast."""
    return f"{symbol} {origin}"


def digest(moves: NDArray[np.float64]) -> str:
    """blake2b of the bytes of a forecast, little-endian, in hex."""
    return hashlib.blake2b(np.ascontiguousarray(moves, "<f8").tobytes(), digest_size=16).hexdigest()
