"""The command that makes a page again is one that a shell understands."""

from __future__ import annotations

import shutil
import subprocess

import pytest

from marketsim.results.html.command import command_of
from marketsim.settings.settings import Settings

HOSTILE = '\u202e it\'s \\ "<b>" $HOME `ls`\x07'


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_shell_reads_back_what_was_asked_for():
    command = command_of(["ETHUSD", HOSTILE], Settings().replace(bounds=(-0.02, 0.01), fast=True))
    assert command.isprintable()
    shown = f"printf '%s\\n' {command}"
    done = subprocess.run(["bash", "-c", shown], env={"LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True)
    words = ["marketsim", "fast", "ETHUSD", HOSTILE, "--bounds", "-0.02,0.01", "--report", "report.html"]
    assert done.stdout.splitlines() == words
