"""The documentation is true: its commands run, its outputs are what they print, its settings are all of them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from marketsim.data.bars import Bars
from marketsim.data.calendars.calendar import NEW_YORK, open_calendar
from marketsim.settings.settings import KEYS
from tests.candles import random_bars
from tests.pages import PAGES, REASONS, ROOT, blocks, commands, output, run, shown

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("no_processes")]

README = ROOT / "README.md"
TESTED = [page for page in PAGES if page.name != "CHANGELOG.md"]
NEEDS = {"models.md": ("arch", "statsmodels"), "own-models.md": ("lightgbm", "sklearn")}  # libraries of extras
BY_NAME = pytest.mark.parametrize("page", TESTED, ids=lambda page: page.name)


def write_bars(bars: Bars, path: Path) -> None:
    """A file of as many bars, on days when New York was open."""
    first = bars.time[0].astype("datetime64[D]")
    days = open_calendar(NEW_YORK).sessions(first, first + 2 * len(bars))[: len(bars)]
    rows = zip(days, *bars.ohlcv.T.tolist(), strict=True)
    lines = ["date,open,high,low,close,volume", *(",".join(map(str, row)) for row in rows)]
    path.write_text("\n".join(lines) + "\n")


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the files that the pages speak of."""
    (tmp_path / "my-bars").mkdir()
    write_bars(random_bars(300), tmp_path / "my-bars" / "AAPL.csv")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_begins_with_the_main_job_and_is_short() -> None:
    assert commands(README)[0] == "./scripts/marketsim backtest ETHUSD --sims 70"
    assert len(README.read_text(encoding="utf-8").splitlines()) <= 150


@BY_NAME
def test_the_commands_of_a_page_run_one_after_the_other(page: Path, desk: Path) -> None:
    for library in NEEDS.get(page.name, ()):
        pytest.importorskip(library, reason="an extra that the page's commands need is not installed")
    by_their_output = shown(page)
    for command in commands(page):
        known = command.removeprefix("./scripts/") in by_their_output
        if not known and not re.match(r"\./scripts/(test|check|docs)\b", command):
            done = run(command, desk)
            assert (done.code, done.err) == (0, ""), command
            assert done.out, command


@BY_NAME
def test_an_output_is_what_its_command_prints(page: Path, desk: Path) -> None:
    for block in blocks(page):
        printed = output(block, desk)
        assert printed is None or block.text == printed, f"scripts/docs --outputs rewrites it: {block.remark}"


@BY_NAME
def test_the_python_of_a_page_runs_as_one_program(page: Path, desk: Path) -> None:
    names: dict[str, object] = {}
    for block in blocks(page):
        if block.language == "python" and not block.skipped:
            exec(compile(block.text, str(page), "exec"), names)


@BY_NAME
def test_a_block_that_is_not_run_says_why(page: Path) -> None:
    remarks = re.findall(r"^<!-- (.*) -->$", page.read_text(encoding="utf-8"), re.MULTILINE)
    assert all(remark.startswith("output of: ") or remark.removeprefix("not run: ") in REASONS for remark in remarks)


@BY_NAME
def test_paths_and_scripts_that_a_page_names_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for path in re.findall(r"`((?:marketsim|tests|configs|docs|scripts)/[\w./-]+)`", text):
        assert (ROOT / path).exists(), path
    for door in re.findall(r"(?<![\w/])(?:\./)?scripts/([a-z][\w-]*)", text):
        assert os.access(ROOT / "scripts" / door, os.X_OK), door
    for name in re.findall(r"scripts/bench (\w+)", text):
        assert name == "NAME" or (ROOT / "scripts" / "benchmarks" / f"{name}.py").exists(), name


def test_every_setting_is_explained() -> None:
    table = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`(\w+)`", table)) >= set(KEYS)
