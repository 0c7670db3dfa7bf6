"""Pages of small runs, and what is in them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct, field

from marketsim.results.html.packing import unpack


class Reader(HTMLParser):
    """The text of a page, the rows of its tables by caption, and every tag with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""
        self.tables: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._inside: list[str] = []
        self._caption = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "input", "br", "option"):
            self._inside.append(tag)
        if tag == "caption":
            self._caption = ""
        elif tag == "tr":
            self.tables.setdefault(self._caption, []).append([])
        elif tag in ("td", "th"):
            self.tables[self._caption][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "script" in self._inside or "style" in self._inside:
            return
        self.text += data
        if "caption" in self._inside:
            self._caption += data
        elif "td" in self._inside or ("th" in self._inside and "tr" in self._inside):
            self.tables[self._caption][-1][-1] += data


class Page(Struct):
    """A page as a browser would see it."""

    source: str
    parts: dict[str, dict[str, tuple[dict[str, Any], dict[str, np.ndarray]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, path: Path) -> Page:
        source = path.read_text(encoding="utf-8")
        page = cls(source)
        pattern = r'<script type="text/plain" data-address="([^"]*)" data-part="(\w+)"[^>]*>([^<]*)</script>'
        for address, part, text in re.findall(pattern, source):
            page.parts.setdefault(address, {})[part] = unpack(text)
        return page

    def read(self, address: str | None = None) -> Reader:
        """The page itself, or that of a symbol."""
        reader = Reader()
        reader.feed(self.source if address is None else self.parts[address]["html"][0]["html"])
        return reader
