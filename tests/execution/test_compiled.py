"""A compiled module that cannot be used is as good as none."""

from __future__ import annotations

from pathlib import Path

import pytest

from marketsim.execution.compiled import VARIABLE, compiled_module


@pytest.mark.parametrize(
    ("name", "text", "usable"),
    [
        ("built_from_these_sources", "VERSION = 2", True),
        ("built_from_older_sources", "VERSION = 1", False),
        ("an_empty_file_in_its_place", "", False),
        ("not_even_python", "VERSION = ", False),
        ("of_another_machine", "raise OSError('wrong architecture')", False),
    ],
)
def test_what_cannot_be_used_is_not(
    name: str, text: str, usable: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delenv(VARIABLE, raising=False)
    assert (compiled_module(name, 2) is not None) == usable
