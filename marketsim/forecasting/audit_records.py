"""Results of audits of users' models, a file for each model in the cache's directory."""

from __future__ import annotations

import contextlib
import hashlib
import os
import tempfile
from pathlib import Path

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from marketsim.errors import MarketsimError
from marketsim.forecasting.cache import NO_HOME, default_directory
from marketsim.settings.groups import CacheSettings

VERSION = 2  # of the audit: another one audits anew


class Evidence(Struct, frozen=True, forbid_unknown_fields=True):
    """Where a model was caught."""

    what: str  # the model does, in words
    symbol: str
    origin: str  # name of the last bar that was known
    detail: str  # what showed it there

    def __str__(self) -> str:
        return f"{self.what} ({self.symbol}, origin {self.origin}: {self.detail})"


class AuditRecord(Struct, frozen=True, forbid_unknown_fields=True):
    """The audit of one model, or of one file of forecasts."""

    fingerprint: str
    model: str  # its name
    version: int = VERSION
    symbol: str | None = None  # that it was audited on; None of a file, in which nothing can be changed
    origins: int = 0  # that were forecast once more
    evidence: Evidence | None = None  # None where it was not caught
    doubts: dict[str, str | None] = field(default_factory=dict)
    # of each symbol whose forecasts were looked at, why they are implausible, in words; None where they are not

    @property
    def doubt(self) -> str | None:
        """The first of the doubts."""
        return next(filter(None, self.doubts.values()), None)


class _Sealed(Struct, frozen=True, forbid_unknown_fields=True):
    blake2b: str  # of the bytes of
    record: msgspec.Raw


def open_records(place: CacheSettings, mode: str) -> AuditRecords | None:
    """The records beside the forecast cache in a mode of `--cache`; None when it is off, or no home is known.

    They are kept on this machine also where the forecasts are in a database.
    """
    if mode == "off":
        return None
    directory = Path(place.cache_dir) if place.cache_dir else default_directory()
    return None if directory.parts[:1] == (NO_HOME,) else AuditRecords(directory, mode)


class AuditRecords:
    """Records in a directory; `mode` as of the forecast cache: readwrite, readonly or refresh.

    A record that is damaged, or of another model or version, counts as none. What cannot be kept is not: that costs
    time, never a run.
    """

    def __init__(self, cache_directory: Path, mode: str) -> None:
        self.directory, self.mode = cache_directory / "audits", mode

    def get(self, fingerprint: str) -> AuditRecord | None:
        """The record of a model."""
        return None if self.mode == "refresh" else _read(self._path(fingerprint))

    def put(self, record: AuditRecord) -> None:
        """Keep a record, whole or not at all; what is known of the same model already stays."""
        if self.mode == "readonly":
            return
        if (before := self.get(record.fingerprint)) is not None:  # perhaps another process's
            evidence = before.evidence or record.evidence
            record = replace(record, evidence=evidence, doubts=before.doubts | record.doubts)
        content = msgspec.json.encode(record)
        sealed = msgspec.json.encode(_Sealed(_digest(content), msgspec.Raw(content)))
        with contextlib.suppress(OSError):
            self.directory.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=self.directory)
            try:
                with os.fdopen(handle, "wb") as file:
                    file.write(sealed)
                os.replace(name, self._path(record.fingerprint))
            except OSError:
                os.unlink(name)
                raise

    def all(self) -> list[AuditRecord]:
        """Every record, by the name of its model."""
        found = filter(None, map(_read, sorted(self.directory.glob("*.json"))))
        return sorted(found, key=lambda record: (record.model, record.fingerprint))

    def clear(self) -> int:
        """Delete every record, damaged ones too; returns how many. MarketsimError where that is not allowed."""
        count = 0
        for path in list(self.directory.glob("*")):
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise MarketsimError(f"cannot delete {path}: {(error.strerror or str(error)).lower()}") from None
            count += path.suffix == ".json"
        return count

    def _path(self, fingerprint: str) -> Path:
        return self.directory / f"{fingerprint}.json"


def _read(path: Path) -> AuditRecord | None:
    """The record in a file; None where it is none, or of another model than the file's name says."""
    try:
        sealed = msgspec.json.decode(path.read_bytes(), type=_Sealed)
        record = msgspec.json.decode(sealed.record, type=AuditRecord)
    except (OSError, ValueError):
        return None
    if sealed.blake2b != _digest(bytes(sealed.record)):
        return None
    return record if (record.fingerprint, record.version) == (path.stem, VERSION) else None


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=32).hexdigest()
