"""Rows in files, each with its own digest, so that damage is detected."""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from marketsim.digests import blake2b
from marketsim.results.rows import Row

Blake2b = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
T = TypeVar("T", bound=Row)


class _Sealed(Row, frozen=True):
    blake2b: Blake2b  # of the bytes of
    content: msgspec.Raw


def seal(row: Row) -> bytes:
    """The row as JSON, beside the digest of it."""
    content = msgspec.json.encode(row)
    return msgspec.json.format(msgspec.json.encode(_Sealed(digest(content), msgspec.Raw(content)))) + b"\n"


def unseal(sealed: bytes, kind: type[T]) -> T:
    """The row of that kind that was sealed; ValueError where a single bit is another."""
    row = msgspec.json.decode(msgspec.json.decode(sealed, type=_Sealed).content, type=kind)
    if seal(row) != sealed:
        raise ValueError("its digest is not that of its content")
    return row


def digest(content: bytes) -> str:
    """blake2b of 32 bytes, in hex."""
    return blake2b(content, digest_size=32).hexdigest()
