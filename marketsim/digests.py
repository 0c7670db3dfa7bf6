"""The digests of the standard library, from its own code, because `hashlib` loads OpenSSL at every start.

`random` of the standard library does the same, for the same reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from hashlib import blake2b, sha256
    from pathlib import Path
    from typing import IO
else:
    try:
        from _blake2 import blake2b

        try:
            from _sha2 import sha256
        except ImportError:  # before Python 3.12
            from _sha256 import sha256
    except ImportError:
        from hashlib import blake2b, sha256

__all__ = ["add_contents", "blake2b", "of_files", "sha256"]

BLOCK = 1 << 20  # bytes of a file that are held at once


def add_contents(digest: blake2b, file: IO[bytes]) -> int:
    """Add what is left of a file, which is never in memory as a whole; the number of bytes."""
    size = 0
    while block := file.read(BLOCK):
        digest.update(block)
        size += len(block)
    return size


def of_files(folder: Path, files: Iterable[Path]) -> str:
    """blake2b of 20 bytes, in hex, of the names below `folder`, the sizes and the contents of `files`."""
    digest = blake2b(digest_size=20)
    for path in files:
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        with path.open("rb") as file:
            add_contents(digest, file)
    return digest.hexdigest()
