"""The command that makes a page again is one that a shell understands."""

from __future__ import annotations

import shutil
import subprocess

import pytest
from msgspec.structs import replace

from marketsim.errors import DataError
from marketsim.results.html.command import command_of, last_bar
from marketsim.results.schema import FailedSymbol
from marketsim.settings.settings import Settings
from tests.documents import symbol_document

FAILED = FailedSymbol.of("NOSUCH", DataError("no bars"))

HOSTILE = '\u202e it\'s \\ "<b>" $HOME `ls`\x07'


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_a_shell_reads_back_what_was_asked_for():
    command = command_of(["ETHUSD", HOSTILE], Settings().replace(bounds=(-0.02, 0.01), fast=True), None)
    assert command.isprintable()
    shown = f"printf '%s\\n' {command}"
    done = subprocess.run(["bash", "-c", shown], env={"LC_ALL": "C.UTF-8"}, capture_output=True, text=True, check=True)
    words = ["marketsim", "fast", "ETHUSD", HOSTILE, "--bounds", "-0.02,0.01", "--report", "report.html"]
    assert done.stdout.splitlines() == words


def test_it_ends_where_the_bars_ended_so_that_later_ones_change_nothing():
    short, long = symbol_document(), symbol_document()
    long = replace(long, bars=replace(long.bars, last="2020-12-08"))
    short = replace(short, bars=replace(short.bars, last="2020-12-04"))
    assert last_bar([short, long, FAILED]) == "2020-12-08"
    assert last_bar([FAILED]) is None
    assert "--end 2020-12-08 --report" in command_of(["ETHUSD"], Settings(), "2020-12-08")
    chosen = Settings().replace(end="2020-07-31")
    assert "--end 2020-07-31 --report" in command_of(["ETHUSD"], chosen, "2020-07-30")
