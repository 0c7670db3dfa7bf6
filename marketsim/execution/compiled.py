"""Whether the compiled modules, built by `setup.py`, are available and enabled.

They are optional. Without them, for torch's tensors, and with `MARKETSIM_COMPILED=0`, Python does the same.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any

VARIABLE = "MARKETSIM_COMPILED"


def compiled_module(name: str, version: int) -> Any:
    """A compiled module; None where there is none of these sources that can be used, or it is turned off."""
    if os.environ.get(VARIABLE, "1").strip().lower() in ("0", "false", "no", "off"):
        return None
    return _found(name, version)


@cache
def _found(name: str, version: int) -> Any:
    try:
        module = import_module(name)
    except Exception:  # whatever is in its place: numpy does the same
        return None
    return module if version == getattr(module, "VERSION", None) else None  # an older build beside newer sources
