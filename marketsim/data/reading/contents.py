"""The contents of a file on disk: the file itself, decompressed, or the members of a zip archive."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Any

from msgspec import Struct

from marketsim.errors import DataError, MissingExtra

MOST_BYTES = 1 << 31  # of a file, uncompressed
HEAD = 1 << 18  # bytes that tell what a file is, and are all of a small one
ZIP = b"PK\x03\x04"


def _gzip(file: IO[bytes]) -> Any:
    import gzip

    return gzip.GzipFile(fileobj=file)


def _bzip2(file: IO[bytes]) -> Any:
    import bz2

    return bz2.BZ2File(file)


def _xz(file: IO[bytes]) -> Any:
    import lzma

    return lzma.LZMAFile(file)


def _zstd(file: IO[bytes]) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise MissingExtra("zst files", "parquet") from None
    return pyarrow.CompressedInputStream(BytesIO(file.read()), "zstd")


PACKERS: dict[bytes, Callable[[IO[bytes]], Any]] = {
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ\0": _xz,
    b"\x28\xb5\x2f\xfd": _zstd,
}


class BarFile(Struct, frozen=True):
    """A file of bars: a regular file, or a member of a zip archive."""

    path: Path
    member: str | None = None

    @property
    def name(self) -> str:
        """The file as it may stand in a message."""
        return printable(self.path if self.member is None else f"{self.path}/{self.member}")

    @property
    def stem(self) -> str:
        """The file's name without its folder, which may name the symbol."""
        return Path(self.member or self.path.name).name

    @property
    def folder(self) -> str:
        """The name of the folder, or of the archive, that it lies in."""
        if self.member is not None:
            return Path(self.member).parent.name or self.path.name
        return self.path.absolute().parent.name

    def head(self) -> bytes:
        """The first `HEAD` bytes, uncompressed. DataError where it cannot be read."""
        with _readable(self.name), self._open() as stream:
            return bytes(stream.read(HEAD))

    def is_plain(self) -> bool:
        """Whether the bytes on disk are those of the file."""
        if self.member is not None:
            return False
        with _readable(self.name), self.path.open("rb") as file:
            return not file.read(6).startswith(tuple(PACKERS))

    def read(self) -> bytes:
        """All its bytes, uncompressed. DataError for more than `MOST_BYTES`, or where it cannot be read."""
        with _readable(self.name), self._open() as stream:
            data = bytes(stream.read(MOST_BYTES + 1))
        if len(data) > MOST_BYTES:
            raise DataError(f"{self.name}: more than {MOST_BYTES >> 30} GiB; split the file")
        return data

    @contextmanager
    def _open(self) -> Iterator[IO[bytes] | Any]:
        if self.member is not None:
            import zipfile

            with zipfile.ZipFile(self.path) as archive, archive.open(self.member) as packed:
                yield packed
            return
        with self.path.open("rb") as file:
            start = file.read(6)
            file.seek(0)
            unpacked = next((unpack for sign, unpack in PACKERS.items() if start.startswith(sign)), None)
            if unpacked is None:
                yield file
            else:
                with unpacked(file) as stream:
                    yield stream


def members(path: Path) -> list[str] | None:
    """The files in the zip archive `path`, sorted; None where it is none. DataError where it is broken."""
    name = printable(path)
    with _readable(name):
        with path.open("rb") as file:
            if not file.read(4).startswith(ZIP):
                return None
        import zipfile

        with zipfile.ZipFile(path) as archive:
            found = sorted(member.filename for member in archive.infolist() if not member.is_dir())
    if "xl/workbook.xml" in found:
        raise DataError(f"{name}: an Excel workbook; save the sheet as CSV")
    return found


def is_regular(path: Path) -> bool:
    """Whether `path` is a file that can be read twice: no pipe, socket or device."""
    return stat.S_ISREG(path.stat().st_mode)


def printable(path: str | Path) -> str:
    """A path as it may stand in a message: one line, no control characters."""
    text = str(path)
    return text if text.isprintable() else ascii(text)


@contextmanager
def _readable(name: str) -> Iterator[None]:
    """What goes wrong with reading, in one line."""
    try:
        yield
    except (DataError, MissingExtra):
        raise
    except OSError as error:
        raise DataError(f"{name}: {(error.strerror or str(error)).splitlines()[0].lower()}") from error
    except Exception as error:  # each way to compress has errors of its own
        raise DataError(f"{name}: a broken archive: {(str(error) or type(error).__name__).splitlines()[0]}") from None
