"""Writes docs/schemas: `python -m tests.schemas`."""

from __future__ import annotations

import json
from pathlib import Path

from marketsim.cli.schemas import file_name, schemas

PLACE = Path(__file__).parents[1] / "docs" / "schemas"


def texts() -> dict[str, str]:
    """The files by their names."""
    return {file_name(name): json.dumps(schema, indent=2) + "\n" for name, schema in schemas().items()}


if __name__ == "__main__":
    PLACE.mkdir(exist_ok=True)
    for path in PLACE.glob("*.json"):
        path.unlink()
    for name, text in texts().items():
        (PLACE / name).write_text(text)
