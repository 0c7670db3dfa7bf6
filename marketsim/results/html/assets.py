"""The scripts and styles of a page, and the Content-Security-Policy that allows only these."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path

from msgspec import Struct

FOLDER = Path(__file__).parent
VENDORED = ("lightweight-charts.js", "uplot.js")
STYLES = ("vendor/uplot.css", "page.css")
MODULES = (  # each after those that it imports
    "data",
    "theme",
    "equity",
    "candles",
    "trades",
    "objective",
    "table",
    "copy",
    "live",
    "pages",
)


class Assets(Struct, frozen=True):
    """What a page holds besides its content."""

    libraries: tuple[str, ...]
    program: str
    style: str
    policy: str  # of a Content-Security-Policy: nothing but what is in the page


@cache
def assets() -> Assets:
    """The assets of every page."""
    libraries = tuple(_read(f"vendor/{name}") for name in VENDORED)
    program = "\n".join(_in_one_program(_read(f"js/{name}.js")) for name in MODULES)
    style = "\n".join(map(_read, STYLES))
    scripts = " ".join(map(_hash, (*libraries, program)))
    policy = (
        f"default-src 'none'; script-src {scripts}; style-src {_hash(style)}; img-src data:; base-uri 'none'; "
        "form-action 'none'"
    )
    return Assets(libraries, program, style, policy)


def _read(name: str) -> str:
    return (FOLDER / name).read_text(encoding="utf-8")


def _in_one_program(module: str) -> str:
    """A module as a part of one: a page alone in a file has nowhere to import from."""
    exports = re.findall(r"^export (?:async )?(?:function|const|class) (\w+)", module, re.M)
    body = re.sub(r"^export ", "", re.sub(r"^import [^;]*;\n", "", module, flags=re.M), flags=re.M)
    if not exports:
        return body
    names = ", ".join(exports)
    return f"const {{ {names} }} = (() => {{\n{body}return {{ {names} }};\n}})();\n"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
