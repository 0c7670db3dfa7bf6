"""The sample: real daily bars inside the package, built by scripts/sample-data; each states its source."""

from __future__ import annotations

from pathlib import Path

from marketsim.data.files import FileSource
from marketsim.data.table import Table


class SampleSource(FileSource):
    """The package's own bars: a `FileSource` on marketsim/data/samples; `data` is not used."""

    name = "sample"

    def __init__(self, data: str | None = None, on_bad_bars: str = "error") -> None:
        super().__init__(str(Path(__file__).with_name("samples")), on_bad_bars)
        self.place = "the sample"
        self.listing = "marketsim data list"

    def describe(self, table: Table) -> str:
        """What `Bars.source` says: the source that the file states."""
        return f"sample ({table.source})"
