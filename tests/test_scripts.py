"""The doors in scripts/, with a Python that only notes what it is asked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
COMPILED = (Path("marketsim/optimizers/exact/c/compiled.c"), Path("marketsim/execution/c/fill_probability.c"))
FAKE = f"""#!/bin/sh
log() {{ echo "$*" >> "$LOG"; }}
case "$1 $2" in
  "-c "*) exec {sys.executable} "$@" ;;
  "-m venv") log venv; mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  "-m pip") log pip "$*"; echo chatter; sleep 0.2; exit "${{PIP_EXIT:-0}}" ;;
  "-m compileall") ;;
  *) shift; log run "$*"; echo result ;;
esac
"""

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    """A checkout in a folder with a blank in its name, and a log of what its Pythons did."""
    root = tmp_path / "a checkout"
    shutil.copytree(ROOT / "scripts", root / "scripts", ignore=shutil.ignore_patterns("benchmarks"))
    for name in ("pyproject.toml", "constraints.txt", "setup.py"):
        shutil.copy(ROOT / name, root)
    for source in COMPILED:
        shutil.copytree(ROOT / source.parent, root / source.parent)
    (tmp_path / "bin").mkdir()
    fake = tmp_path / "bin" / "python3"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", f"{fake.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return root


def run(checkout: Path, door: str = "marketsim", **environment: str) -> subprocess.CompletedProcess[str]:
    program = [str(checkout / "scripts" / door), "backtest", "ETH USD"]
    return subprocess.run(program, env=os.environ | environment, capture_output=True, text=True, check=False)


def log(checkout: Path) -> list[str]:
    path = checkout.parent / "log"
    lines = path.read_text().splitlines()
    path.unlink()
    return lines


def kinds(checkout: Path) -> list[str]:
    return [line.split()[0] for line in log(checkout)]


def test_the_first_use_sets_up_and_the_second_does_not(checkout):
    done = run(checkout)
    assert (done.returncode, done.stdout) == (0, "result\n")
    assert "setting up" in done.stderr
    assert "chatter" in done.stderr
    venv, pip, program = log(checkout)
    assert venv == "venv"
    assert f"-c {checkout}/constraints.txt -e {checkout}[parquet]" in pip
    assert program == "run marketsim backtest ETH USD"
    done = run(checkout)
    assert (done.returncode, done.stdout, done.stderr) == (0, "result\n", "")
    assert kinds(checkout) == ["run"]


@pytest.mark.parametrize("source", COMPILED)
def test_what_is_compiled_is_installed_again_when_it_changed(source, checkout):
    run(checkout)
    log(checkout)
    later = time.time() + 5
    os.utime(checkout / source, (later, later))
    assert run(checkout).returncode == 0
    assert "pip" in kinds(checkout)


def test_the_tests_need_more_than_the_tool_and_what_they_need_serves_the_tool(checkout):
    run(checkout)
    log(checkout)
    (checkout / ".venv" / "kept").touch()
    assert run(checkout, "test").returncode == 0
    _, pip, _ = log(checkout)
    assert f"-e {checkout}[dev]" in pip
    assert (checkout / ".venv" / "kept").exists()
    for door in ("test", "marketsim"):
        run(checkout, door)
        assert kinds(checkout) == ["run"]


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt"])
def test_a_changed_requirement_installs_again(name, checkout):
    run(checkout)
    log(checkout)
    with (checkout / name).open("a") as file:
        file.write("# one more line\n")
    assert run(checkout).returncode == 0
    assert kinds(checkout) == ["venv", "pip", "run"]


def test_a_moved_checkout_is_set_up_anew(checkout):
    run(checkout)
    log(checkout)
    moved = checkout.rename(checkout.with_name("moved"))
    (moved / ".venv" / "old").touch()
    assert run(moved).returncode == 0
    assert not (moved / ".venv" / "old").exists()
    assert kinds(moved) == ["venv", "pip", "run"]


def test_a_set_up_that_fails_is_begun_afresh(checkout):
    done = run(checkout, PIP_EXIT="7")
    assert (done.returncode, done.stdout) == (7, "")
    assert kinds(checkout) == ["venv", "pip"]
    (checkout / ".venv" / "half").touch()
    assert run(checkout).returncode == 0
    assert not (checkout / ".venv" / "half").exists()


def test_two_at_once_set_up_once(checkout):
    program = [str(checkout / "scripts" / "marketsim")]
    both = [subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert [each.communicate()[0] for each in both] == [b"result\n", b"result\n"]
    assert sorted(kinds(checkout)) == ["pip", "run", "run", "venv"]
