"""Many symbols on the command line, and what signals, kills and full disks leave of such a run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from marketsim.results.run_directory import FILES
from tests import command_line
from tests.many_symbols import OPTIONS, write_universe

COUNT = 10
MARKETSIM = [sys.executable, "-m", "marketsim"]

# Forks a process that has all it needs, and kills it after a part of the time that a whole run takes.
KILLER = """
import os, random, signal, sys, time
from marketsim.backtesting import parallel
from marketsim.cli import main, output, tables
from marketsim.models import last_bar
from marketsim.optimizers import exact

def start():
    pid = os.fork()
    if pid == 0:
        main()
    return pid

def ended(pid):
    return os.waitpid(pid, 0)[1]

def finished():
    try:
        return sum(name.endswith(".part") for name in os.listdir(f"{sys.argv[-1]}/.unfinished"))
    except FileNotFoundError:
        return 0

random.seed(7)
began = time.perf_counter()
assert ended(start()) == 0
whole = time.perf_counter() - began
runs = killed = 0
kept = set()
while killed < 9:
    runs += 1
    sys.argv[-1] = f"resumed-{runs}"
    for _ in range(5):
        goal, pid, gone = finished() + random.randrange(2), start(), 0
        while not gone and finished() < goal:
            time.sleep(0.001)
            gone, _ = os.waitpid(pid, os.WNOHANG)
        if gone:
            break
        time.sleep(whole * random.uniform(0, 0.2))
        os.kill(pid, signal.SIGKILL)
        if ended(pid) != signal.SIGKILL:
            break
        killed += 1
        kept.add(finished())
    else:
        whole_already = os.path.exists(f"{sys.argv[-1]}/run.json")  # it was killed when all was done
        assert os.waitstatus_to_exitcode(ended(start())) == (2 if whole_already else 0)
print(runs, len(kept))
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("universe") / "bars"
    write_universe(directory, COUNT)
    return directory


@pytest.fixture(scope="module")
def unbroken(data: Path, tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The files of a run that nothing happened to."""
    directory = tmp_path_factory.mktemp("unbroken")
    assert command_line.run(*command(data, directory)).code == 0
    return files(directory)


def command(data: Path, directory: Path | str, *more: str) -> list[str]:
    return ["backtest", "--all", "--data", str(data), *OPTIONS, "--cache", "off", *more, "--output", str(directory)]


def files(directory: Path) -> list[bytes]:
    return [(directory / name).read_bytes() for name in FILES]


def resumed(data: Path, directory: Path, unbroken: list[bytes], *more: str) -> None:
    """The run goes on and ends with the files of the unbroken one."""
    assert command_line.run(*command(data, directory, "--resume", *more)).code == 0
    assert files(directory) == unbroken


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"


def children(pid: int) -> list[int]:
    """The workers of a process; the tracker of multiprocessing is none."""
    found = [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return [child for child in found if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()]


def until(come) -> None:
    end = time.monotonic() + 60
    while not come():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_symbols_come_from_the_line_a_file_or_the_source(cli, data, tmp_path):
    (tmp_path / "list").write_text("# mine\nS003\n\n s001  # the other\n")
    given = ("--data", str(data), *OPTIONS, "--json")
    ended = cli("backtest", "S002", "--symbols-file", str(tmp_path / "list"), *given)
    assert [each["symbol"] for each in json.loads(ended.out)["symbols"]] == ["S002", "S003", "S001"]
    ended = cli("backtest", "--all", *given)
    assert [each["symbol"] for each in json.loads(ended.out)["symbols"]] == [f"S{i:03d}" for i in range(COUNT)]


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("backtest", "SYMBOL, --symbols-file FILE or --all"),
        ("backtest --all ETHUSD", "leave out SYMBOL"),
        ("backtest --symbols-file missing", "--symbols-file missing: No such file"),
        ("backtest ETHUSD --resume", "--resume needs --output DIR"),
        ("backtest ETHUSD --overwrite", "--overwrite needs --output DIR"),
        ("backtest ETHUSD --workers 0", "1 or more"),
        ("backtest ETHUSD NVDA --executor dask", "needs --scheduler"),
        ("backtest ETHUSD NVDA --executor local --workers 2", "one process"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(arguments, hint, cli):
    ended = cli(*arguments.split())
    assert (ended.code, ended.out) == (2, "")
    assert hint in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize("command", ["backtest", "forecast", "compare-models"])
def test_a_symbol_given_twice_is_run_once_with_a_note(command, cli):
    quick = () if command == "forecast" else ("--sims", "2", "--window", "5")
    ended = cli(command, "ETHUSD", "NVDA", "ethusd", "ETH/USD", *quick, "--json")
    assert [each["symbol"] for each in json.loads(ended.out)["symbols"]] == ["ETHUSD", "NVDA"]
    again = "ETHUSD, which was given before: it is run once"
    assert ended.err.splitlines() == [f"note: 'ethusd' is {again}", f"note: 'ETH/USD' is {again}"]


def test_a_symbol_with_two_files_is_one_line_and_2(cli, data):
    ended = cli("backtest", f"X={data}/S000.csv", f"X={data}/S001.csv")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("marketsim: X is given twice, with different bars")


def test_few_symbols_have_tables_many_have_a_summary(cli, data):
    given = ("--data", str(data), *OPTIONS)
    one, three, four = (cli("backtest", *(f"S00{i}" for i in range(n)), *given).out for n in (1, 3, 4))
    assert [text.count("No order for") for text in (one, three, four)] == [1, 3, 0]
    assert [text.count("all 4") for text in (one, three, four)] == [0, 0, 1]
    assert [text.count("Summary") for text in (one, three, four)] == [0, 1, 1]
    assert "s for 4 symbols, 9 forecasts made, 27 reused" in " ".join(four.split())


def test_a_symbol_that_fails_among_many_is_a_row_with_its_reason(cli, data):
    ended = cli("backtest", "S000", "NOPE", "S001", "S002", "--workers", "2", "--data", str(data), *OPTIONS)
    assert (ended.code, ended.err) == (4, "marketsim: 1 of 4 symbols failed\n")
    rows = [line.split() for line in ended.out.splitlines()]
    named = [row[0] for row in rows if row[:1] and row[0] in ("S000", "NOPE", "S001", "S002")]
    assert named == ["S000", "NOPE", "S001", "S002", "NOPE"]
    assert "NOPE failed: no bars of NOPE" in ended.out


def test_one_worker_imports_no_multiprocessing(data):
    program = f"""
import sys
from marketsim.cli import main
sys.argv[1:] = {["backtest", "--all", "--data", str(data), *OPTIONS, "--workers", "1"]}
try:
    main()
finally:
    print(sorted(name for name in sys.modules if name in ("multiprocessing", "distributed")), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


@pytest.mark.parametrize(
    ("sent", "to_all", "code", "word"),
    [
        (signal.SIGINT, True, 130, "interrupted"),
        (signal.SIGINT, False, 130, "interrupted"),
        (signal.SIGTERM, False, 143, "terminated"),
    ],
    ids=["Ctrl-C", "kill -INT", "kill"],
)
def test_a_signal_ends_the_workers_and_keeps_what_is_done(sent, to_all, code, word, data, tmp_path, unbroken):
    """A terminal sends Ctrl-C to every process of the group, `kill` a signal to one."""
    given = [*MARKETSIM, *command(data, tmp_path / "out", "--workers", "2")]
    process = subprocess.Popen(given, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    until(lambda: any((tmp_path / "out").glob(".unfinished/*.part")))
    workers = children(process.pid)
    assert workers
    os.killpg(process.pid, sent) if to_all else process.send_signal(sent)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (code, "")
    note, last = err.splitlines()
    assert "finished symbols are kept in" in note
    assert last == f"marketsim: {word}"
    assert not any(map(alive, workers))
    resumed(data, tmp_path / "out", unbroken)


def test_workers_end_with_a_parent_that_was_killed(data, tmp_path, unbroken):
    given = [*MARKETSIM, *command(data, tmp_path / "out", "--workers", "2")]
    process = subprocess.Popen(given, stdout=subprocess.DEVNULL)
    until(lambda: any((tmp_path / "out").glob(".unfinished/*.part")))
    workers = children(process.pid)
    process.kill()
    process.wait()
    assert workers
    until(lambda: not any(map(alive, workers)))
    resumed(data, tmp_path / "out", unbroken)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_run_killed_again_and_again_ends_with_the_same_files(data, tmp_path, unbroken):
    given = command(data, "first", "--resume")
    program = [sys.executable, "-c", KILLER, *given]
    done = subprocess.run(program, cwd=tmp_path, capture_output=True, text=True, check=True)
    runs, places = map(int, done.stdout.splitlines()[-1].split())
    assert places > 2  # it was caught at different symbols
    for i in range(runs):
        assert files(tmp_path / f"resumed-{i + 1}") == unbroken


def test_a_full_disk_leaves_the_old_files_and_one_line(data, tmp_path, unbroken):
    out = tmp_path / "out"
    first = ("backtest", "S001", "--data", str(data), *OPTIONS, "--cache", "off", "--output", str(out))
    assert command_line.run(*first).code == 0
    old = files(out)
    limited = 'ulimit -f 30; exec "$0" "$@"'  # blocks of 512 bytes: parts fit, the document does not
    program = ["sh", "-c", limited, *MARKETSIM, *command(data, out, "--overwrite")]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    note, last = done.stderr.splitlines()
    assert last == f"marketsim: cannot write to {out}: File too large"
    assert "finished symbols are kept in" in note
    assert sorted(path.name for path in out.iterdir()) == sorted([".unfinished", *FILES, "timing.json", "run.json"])
    assert files(out) == old
    resumed(data, out, unbroken, "--overwrite")
