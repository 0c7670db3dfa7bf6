"""What rows and documents are, and the units of their fields.

They are msgspec structs: built a hundred times sooner at import than dataclasses, checked when they are read back from
a file, and the source of the JSON Schemas in docs/schemas. The tag of a document is its schema's name; another set of
fields needs another number.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

Bps = Annotated[float, Meta(description="basis points of the stake, a bar")]
Profit = Annotated[float, Meta(description="fraction of the stake, after costs")]
Price = Annotated[float, Meta(description="price units")]
Share = Annotated[float, Meta(ge=0, le=1)]
Seconds = Annotated[float, Meta(ge=0)]
Count = Annotated[int, Meta(ge=0)]
Stamp = Annotated[str, Meta(description="UTC, a bar's open: a date, or a date and a time")]
Instant = Annotated[str, Meta(description="date, time, and how far the clock there is ahead of UTC")]
Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
Setting = bool | int | float | str | list[float | str] | None


class Row(Struct, frozen=True, forbid_unknown_fields=True):
    """A row of a table, a part of a document, or a document."""
