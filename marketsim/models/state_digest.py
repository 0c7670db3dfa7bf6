"""A digest of an object's attributes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from pathlib import PurePath
from typing import Any

import numpy as np
from msgspec import Struct


def digest_state(model: object) -> str | None:
    """A digest of all attributes of an object; None if one of them cannot be identified."""
    digest = hashlib.blake2b(digest_size=20)
    try:
        for part in _parts(_attributes(model)):
            digest.update(len(part).to_bytes(8, "little") + part)
    except (TypeError, RecursionError):
        return None
    return digest.hexdigest()


def _attributes(model: object) -> Mapping[str, Any]:
    if isinstance(model, Struct) or is_dataclass(model):
        return _fields(model)
    if not hasattr(model, "__dict__"):
        raise TypeError(type(model))
    return vars(model)


def _fields(record: Any) -> dict[str, Any]:
    names = record.__struct_fields__ if isinstance(record, Struct) else [field.name for field in fields(record)]
    return {name: getattr(record, name) for name in names}


def _parts(value: Any) -> Iterator[bytes]:
    """The contents of a value of plain data, each with the name of its type; TypeError for any other."""
    yield type(value).__qualname__.encode()
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes, date, PurePath, np.generic)):
        yield repr(value).encode()
    elif isinstance(value, np.ndarray) and value.dtype.kind in "biufcMmSU":
        yield f"{value.dtype.str} {value.shape}".encode()
        yield np.ascontiguousarray(value).tobytes()
    elif isinstance(value, (list, tuple)):
        yield str(len(value)).encode()
        for part in value:
            yield from _parts(part)
    elif isinstance(value, (set, frozenset)):
        yield from sorted(b"".join(_parts(part)) for part in value)
    elif isinstance(value, Mapping):
        for key in sorted(value, key=repr):
            yield from _parts(key)
            yield from _parts(value[key])
    elif isinstance(value, Struct) or (is_dataclass(value) and not isinstance(value, type)):
        yield from _parts(_fields(value))
    else:
        raise TypeError(type(value))
