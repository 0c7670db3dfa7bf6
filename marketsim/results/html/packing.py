"""Facts and arrays as text for a page: a JSON header, then the arrays' bytes, deflated, in base64.

    uint32 length of the header, the header, blanks up to a multiple of 8; the arrays, each with zeros up to one

The header has `facts` and, by name, the `type`, `shape` and `offset` of each array; all numbers are little-endian.
"""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

TYPES = {"f4": np.float32, "f8": np.float64, "i2": np.int16, "i4": np.int32, "u1": np.uint8}
EIGHT = 8  # bytes, which the largest numbers are aligned to


def pack(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """The text of facts, which JSON can spell, and of arrays of one of the `TYPES`; the same for the same values."""
    blocks, entries, offset = [], {}, 0
    for name, array in arrays.items():
        block = _filled(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes(), b"\0")
        entries[name] = {"type": _type_of(array), "shape": array.shape, "offset": offset}
        blocks.append(block)
        offset += len(block)
    text = json.dumps({"facts": facts, "arrays": entries}, allow_nan=False, separators=(",", ":")).encode()
    header = _filled(struct.pack("<I", len(text)) + text, b" ")
    return base64.b64encode(zlib.compress(b"".join((header, *blocks)), 9)).decode()


def unpack(text: str) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """The facts and the arrays of a text that `pack` made."""
    content = zlib.decompress(base64.b64decode(text))
    (length,) = struct.unpack_from("<I", content)
    header, start = json.loads(content[4 : 4 + length]), -(-(4 + length) // EIGHT) * EIGHT
    arrays = {}
    for name, entry in header["arrays"].items():
        kind, count = np.dtype(TYPES[entry["type"]]).newbyteorder("<"), int(np.prod(entry["shape"], dtype=int))
        arrays[name] = np.frombuffer(content, kind, count, start + entry["offset"]).reshape(entry["shape"])
    return header["facts"], arrays


def _type_of(array: NDArray[Any]) -> str:
    return next(name for name, kind in TYPES.items() if array.dtype == kind)


def _filled(content: bytes, filling: bytes) -> bytes:
    return content + filling * (-len(content) % EIGHT)
