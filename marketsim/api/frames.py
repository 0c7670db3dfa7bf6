"""Rows and CSV texts as DataFrames, and DataFrames as HTML."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from io import StringIO
from math import nan
from typing import TYPE_CHECKING, Any

from marketsim.errors import DataError

if TYPE_CHECKING:
    import pandas as pd


def copied(document: dict[str, Any]) -> dict[str, Any]:
    """A copy of the document in plain JSON types."""
    copy: dict[str, Any] = json.loads(json.dumps(document))
    return copy


def frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """Rows of a document; NaN where they have None."""
    import pandas as pd

    return pd.DataFrame([{key: nan if value is None else value for key, value in row.items()} for row in rows])


def flat(rows: Sequence[dict[str, Any]], index: list[str]) -> pd.DataFrame:
    """Rows of a document by the columns of `index`, what stands in them as columns `outer.inner`; NaN for None."""
    import pandas as pd

    found = pd.json_normalize(list(rows))
    found = found.where(found.notna(), nan).infer_objects()
    return found.set_index(index) if len(found) else found


def read_csv(text: str, times: Sequence[str]) -> pd.DataFrame:
    """A CSV text as a frame, with every number to the bit; `times` are its columns of UTC times."""
    import pandas as pd

    frame = pd.read_csv(StringIO(text), float_precision="round_trip")
    return frame.assign(**{name: pd.to_datetime(frame[name], utc=True) for name in times})


def stacked(frames: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Frames under one another, by symbol; DataError without any."""
    import pandas as pd

    if not frames:
        raise DataError("no symbol has a result; `failures` says why")
    return pd.concat(frames, names=["symbol"])


def html(frame: pd.DataFrame) -> str:
    """An HTML table."""
    return str(frame.to_html(float_format=lambda number: f"{number:.4g}", na_rep="-"))
