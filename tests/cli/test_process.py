"""What only a real process can show: signals, pipes, terminals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

MARKETSIM = [sys.executable, "-m", "marketsim"]
WAITING = """
import sys, time
import marketsim.backtesting.parallel

def wait(*arguments, **options):
    print("ready", flush=True)
    time.sleep(60)

marketsim.backtesting.parallel.stream = wait
from marketsim.cli import main
main()
"""


def test_ctrl_c_is_one_line_and_130():
    program = [sys.executable, "-c", WAITING, "backtest", "ETHUSD"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert (process.returncode, errors) == (130, "marketsim: interrupted\n")


PRINTING = ("--help", "config", "config --json", "data list", "forecast ETHUSD", "backtest ETHUSD --sims 3")


@pytest.mark.parametrize(
    ("arguments", "buffered"), [*((each, True) for each in PRINTING), ("--help", False), (PRINTING[-1], False)]
)
def test_a_closed_pipe_is_quiet(arguments, buffered):
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": "" if buffered else "1"}
    program = [*MARKETSIM, *arguments.split()]
    done = subprocess.run(program, stdout=writing, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full")
def test_a_full_disk_is_one_line():
    with open("/dev/full", "wb") as full:
        done = subprocess.run([*MARKETSIM, "config"], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 1
    assert "No space left" in done.stderr
    assert done.stderr.count("\n") == 1


def test_closed_streams_are_nobody_s_problem():
    for closing in (">&-", "2>&-"):
        command = f'"$0" -m marketsim backtest XXX {closing}'
        done = subprocess.run(["sh", "-c", command, sys.executable], capture_output=True, check=False)
        assert done.returncode == 3
        assert done.stdout == b""


@pytest.mark.parametrize(("settings", "colored"), [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)])
def test_color_is_for_terminals_that_want_it(settings, colored):
    pty = pytest.importorskip("pty")
    reading, writing = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", **settings}
    with subprocess.Popen([*MARKETSIM, "config"], stdout=writing, env=environment) as process:
        os.close(writing)
        text = b""
        try:
            while part := os.read(reading, 4096):
                text += part
        except OSError:  # Linux's way to say that the other end is closed
            pass
    os.close(reading)
    assert process.returncode == 0
    assert b"expected" in text
    assert (b"\x1b[" in text) == colored


def test_a_backtest_on_a_terminal_keeps_its_stderr_empty_when_quick():
    done = subprocess.run([*MARKETSIM, "backtest", "ETHUSD", "--sims", "3"], capture_output=True, check=True)
    assert done.stderr == b""
    assert b"\x1b" not in done.stdout


def test_two_processes_at_once_and_one_that_was_killed_give_the_same_files(tmp_path):
    """One cache, shared; whoever dies in the middle leaves it sound."""

    def start(name):
        arguments = ["backtest", "ETHUSD", "--sims", "20", "--output", str(tmp_path / name)]
        environment = os.environ | {"MARKETSIM_CACHE_DIR": str(tmp_path / "cache")}
        return subprocess.Popen(
            [sys.executable, "-m", "marketsim", *arguments],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )

    for delay in (0.15, 0.25, 0.35):
        victim = start("killed")
        time.sleep(delay)
        victim.kill()
        victim.communicate()
    both = [start("first"), start("second")]
    for process in both:
        assert process.communicate()[1] == b""
        assert process.returncode == 0
    for name in ("results.json", "simulations.csv", "equity.csv"):
        first, second = ((tmp_path / run / name).read_bytes() for run in ("first", "second"))
        assert first == second
