"""The steps of CONTRIBUTING.md, done in a copy of the checkout: the plug-ins that they add pass their tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages import ROOT, Block, blocks

STEPS = [block for block in blocks(ROOT / "docs" / "CONTRIBUTING.md") if block.skipped == "changes this checkout"]
SHOWN = ((r"^my-model +-", r"^Model  my-model 1"), ("my-optimizer",), ("ETHUSD",), ("NVDA",))  # lines of their output
CACHES = shutil.ignore_patterns(".git", ".venv*", ".*_cache", ".hypothesis", "site")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the checkout whose .venv is set up already: its Python is the one that runs this test."""
    root = tmp_path_factory.mktemp("contributing") / "clone"
    shutil.copytree(ROOT, root, ignore=CACHES)
    python = root / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nPYTHONPATH="{root}" exec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    made_from = "".join((root / name).read_text() for name in ("pyproject.toml", "constraints.txt"))
    (root / ".venv" / "marketsim.stamp").write_text(f"{root}\n{made_from}dev")
    return root


@pytest.mark.parametrize(
    ("steps", "shown"),
    list(
        zip(STEPS, ((r"^my-model +-", r"^Model  my-model 1"), ("my-optimizer",), ("ETHUSD",), ("NVDA",)), strict=True)
    ),
    ids=["model", "optimizer", "source", "executor"],
)
def test_the_steps_add_a_plug_in_that_passes_its_contract_and_is_used(
    steps: Block, shown: tuple[str, ...], clone: Path
) -> None:
    before = set((clone / "marketsim").rglob("*.py"))
    own = {"PYTEST_DEBUG_TEMPROOT": str(clone.parent), "PYTEST_XDIST_AUTO_NUM_WORKERS": "0", "COLUMNS": "100"}
    program = ["bash", "-euo", "pipefail", "-c", steps.text]
    done = subprocess.run(program, cwd=clone, env=os.environ | own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (added,) = set((clone / "marketsim").rglob("*.py")) - before
    assert re.search(r"^[.s]+ +\[100%\]$", done.stdout, re.MULTILINE), "no contract test was run"
    used = done.stdout.partition("[100%]")[2]
    assert all(re.search(line, used, re.MULTILINE) for line in shown), used
    lint = [sys.executable, "-m", "ruff", "check", "-q", str(added)]
    assert subprocess.run(lint, cwd=clone, check=False).returncode == 0
