"""Variables are named after what they hold."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("folder", ["marketsim", "scripts"])
def test_no_variable_is_called_each(folder: str) -> None:
    sources = {path: path.read_text(encoding="utf-8") for path in (ROOT / folder).rglob("*.py")}
    trees = {path: ast.parse(source) for path, source in sources.items() if re.search(r"\beach\b", source)}
    nodes = ((path, node) for path, tree in trees.items() for node in ast.walk(tree))
    assert [path for path, node in nodes if "each" in (getattr(node, "id", ""), getattr(node, "arg", ""))] == []
