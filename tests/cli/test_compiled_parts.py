"""What `--version --verbose` says of the compiled modules, and what a release demands of its wheels."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from marketsim import __version__
from marketsim.execution import compiled

ROOT = Path(__file__).parents[2]
PARTS = {  # of setup.py, with the parts that they compute
    "marketsim.optimizers.exact._compiled": "exact fit",
    "marketsim.execution._fill_probability": "take-profit probabilities",
    "marketsim.execution._lattices": "take-profit weights",
}
ABSENT = "(no compiled code: the same results, more slowly)"


@pytest.fixture
def versions(monkeypatch):
    """Modules that can be used, whether or not anything is compiled here, with the versions of their sources."""
    setup = (ROOT / "setup.py").read_text(encoding="utf-8")
    versions = {
        name: int(re.search(r"#define VERSION (\d+)", (ROOT / source).read_text(encoding="utf-8"))[1])
        for name, source in re.findall(r'compiled\("([\w.]+)", "([\w./]+)"\)', setup)
    }
    assert versions.keys() == PARTS.keys()
    for name, version in versions.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(VERSION=version))
    monkeypatch.delenv(compiled.VARIABLE, raising=False)
    compiled._found.cache_clear()
    yield versions
    compiled._found.cache_clear()


def said(cli):
    code, shown, _ = cli("--version", "--verbose")
    assert (code, shown.splitlines()[0]) == (0, f"marketsim {__version__}")
    return shown.splitlines()[1:]


def test_all_that_is_compiled_is_named(versions, cli, monkeypatch):
    parts = ", ".join(PARTS.values())
    assert said(cli) == [f"compiled code: {parts}"]
    monkeypatch.setenv(compiled.VARIABLE, "0")
    assert said(cli) == [f"numpy: {parts} {ABSENT}"]
    assert cli("--verbose").code == 2


def demanded_of_a_wheel():
    release = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    exec(re.search(r'CIBW_TEST_COMMAND: >-\n +python -c "(.+)"\n', release)[1], {})


UNUSABLE = {"missing": None, "empty": SimpleNamespace(), "older": SimpleNamespace(VERSION=0)}


@pytest.mark.parametrize("unusable", UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize("name", PARTS)
def test_each_that_cannot_be_used_is_named_and_no_wheel_lacks_it(name, unusable, versions, cli, monkeypatch):
    demanded_of_a_wheel()
    monkeypatch.setitem(sys.modules, name, unusable)
    compiled._found.cache_clear()
    rest = ", ".join(part for other, part in PARTS.items() if other != name)
    assert said(cli) == [f"compiled code: {rest}", f"numpy: {PARTS[name]} {ABSENT}"]
    with pytest.raises(AssertionError, match=PARTS[name]):
        demanded_of_a_wheel()
