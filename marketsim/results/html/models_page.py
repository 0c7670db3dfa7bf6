"""The page of a comparison of models."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from marketsim import __version__
from marketsim.results.html.assets import assets
from marketsim.results.html.intervals import IntervalPicture
from marketsim.results.html.page import environment
from marketsim.results.text_tables import TextTable


class ModelsSection(Struct, frozen=True):
    """The section of one symbol."""

    symbol: str
    lines: list[str]
    profits: IntervalPicture | None
    alphas: IntervalPicture | None
    tables: list[TextTable]
    remarks: list[str]


def models_page(sections: Sequence[ModelsSection], check: str | None, command: str) -> Iterator[str]:
    """The text of the page, in parts; `check` is what luck alone would do. MissingExtra without jinja2."""
    template = environment().get_template("models.html")
    return template.generate(sections=sections, check=check, command=command, assets=assets(), version=__version__)
