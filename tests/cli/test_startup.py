"""What each command imports, in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence

import pytest

from tests import command_line

HEAVY = (
    *("numpy", "scipy", "pandas", "pyarrow", "torch", "rich.table", "pydantic", "psycopg"),
    *("exchange_calendars", "ccxt", "yfinance", "alpaca"),
)
NEEDLESS = (  # for a backtest of a sample: each is milliseconds
    *("numpy.ma", "numpy.f2py", "numpy.polynomial", "numpy.fft", "importlib.metadata", "zoneinfo", "jsonschema"),
    *("numpy.random", "hashlib", "hmac", "secrets", "base64", "csv", "tempfile"),
    *("asyncio", "multiprocessing", "socketserver", "http", "ssl", "xml", "unittest", "filelock", "platformdirs"),
    *("marketsim.data.store", "marketsim.data.reading.files", "marketsim.results.run_directory"),
    *("marketsim.comparison", "marketsim.api", "marketsim.auditing", "marketsim.journal", "marketsim.cli.runs"),
    *("marketsim.cli.data", "marketsim.cli.cache", "marketsim.cli.forecast", "marketsim.cli.documents"),
)
HELP = (
    "",
    "--help",
    "--version",
    "backtest --help",
    "fast --help",
    "fills --help",
    "forecast --help",
    "compare-models --help",
    "compare-optimizers --help",
    "audit --help",
    "profile --help",
    "config --help",
    "config --json",
    "data check --help",
    "data fetch --help",
    "cache verify --help",
    "runs compare --help",
)
MISTAKES = (
    "bactest ETHUSD",
    "backtest",
    "backtest ETHUSD --simz 5",
    "backtest ETHUSD --sims 0",
    "backtest ETHUSD --bounds 0.03,-0.03",
    "backtest ETHUSD --model hat",
    "fast ETHUSD --config missing.toml",
    "forecast",
    "forecast ETHUSD --horizon 0",
    "forecast ETHUSD --horizon 2",
    "forecast ETHUSD --model hat",
    "compare-models ETHUSD --models har,hat",
    "audit",
    "audit ETHUSD --selftest",
    "audit ETHUSD --origins 0",
    "audit ETHUSD --model hat",
    "profile --repeat 0",
    "profile --trace nowhere/trace.json",
    "config --config missing.toml",
    "data show",
    "data fetch AAPL",
    "data list --source nowhere",
    "compare-optimizers --optimizers exat",
    "compare-optimizers --landscape a.gif",
    "cache prune",
    "runs compare one",
    "cache info --cache-dir",
    "cache info --cache-url mysql://host/db",
)
PROGRAM = """
import sys
try:
    import marketsim.cli
    marketsim.cli.main()
except SystemExit as ended:
    loaded = [name for name in {heavy} if name in sys.modules]
    sys.stderr.write(f"\\n{{ended.code or 0}} {{' '.join(loaded)}}")
"""


SEVERAL = """
import contextlib, io, json, sys
import marketsim.cli
for words in json.loads(sys.argv.pop()):
    sys.argv[1:] = words
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            marketsim.cli.main()
        except SystemExit as ended:
            code = ended.code or 0
    print(code, *(name for name in {heavy} if name in sys.modules))
"""


def in_one_process(*commands: str | Sequence[str]) -> list[tuple[int, set[str]]]:
    """The exit code of each command, and the heavy modules that it and those before it imported."""
    words = [command.split() if isinstance(command, str) else command for command in commands]
    program = [sys.executable, "-c", SEVERAL.format(heavy=HEAVY), json.dumps(words)]
    lines = subprocess.run(program, capture_output=True, text=True, check=True).stdout.splitlines()
    return [(int(code), set(names)) for code, *names in map(str.split, lines)]


def loaded(*arguments: str, among: tuple[str, ...] = HEAVY) -> tuple[int, set[str]]:
    """The exit code of `marketsim ARGUMENTS`, and the modules `among` some that it imported."""
    program = [sys.executable, "-c", PROGRAM.format(heavy=among), *arguments]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    code, *names = done.stderr.splitlines()[-1].split(" ")
    return int(code), set(filter(None, names))


def test_importing_marketsim_imports_nothing_else():
    program = "import sys; before = set(sys.modules); import marketsim; print(set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{'marketsim'}"


def test_help_is_light():
    assert in_one_process(*HELP) == [(0, set())] * len(HELP)


def test_argument_errors_are_light():
    assert in_one_process(*MISTAKES) == [(2, set())] * len(MISTAKES)


def test_a_backtest_builds_no_dataclasses():
    program = """
import sys
sys.argv = ["marketsim", "backtest", "ETHUSD", "--json"]
import marketsim.cli
try:
    marketsim.cli.main()
except SystemExit:
    modules = [module for name, module in sys.modules.items() if name.startswith("marketsim.")]
    owned = {each for module in modules for each in vars(module).values() if isinstance(each, type)}
    mine = [each for each in owned if each.__module__.startswith("marketsim.")]
    sys.stderr.write(f"{len(mine)} " + " ".join(each.__name__ for each in mine if "__dataclass_fields__" in vars(each)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    count, *dataclasses = done.stderr.splitlines()[-1].split()
    assert int(count) > 50
    assert dataclasses == []  # half a millisecond each, at every start: a frozen msgspec.Struct costs a hundredth


@pytest.mark.parametrize("cache", ["off", "readwrite"])
def test_a_backtest_needs_numpy_and_tables_only(cache):
    command = ("backtest", "ETHUSD", "--cache", cache)
    assert loaded(*command, among=(*HEAVY, *NEEDLESS)) == (0, {"numpy", "rich.table"})
    assert loaded(*command, "--json", among=(*HEAVY, *NEEDLESS)) == (0, {"numpy"})


def test_a_backtest_without_finer_bars_imports_nothing_for_them():
    of_finer = (
        "marketsim.backtesting.finer_source",
        "marketsim.backtesting.finer_market",
        "marketsim.data.finer_bars",
        "marketsim.data.resample",
        "marketsim.execution.finer_bars",
        "marketsim.execution.finer_fills",
        "marketsim.execution.staircases",
        "marketsim.execution.stepped_surface",
        "marketsim.models.intraday",
    )
    assert loaded("backtest", "ETHUSD", "--sims", "3", among=of_finer) == (0, set())
    assert loaded("backtest", "AAPL", "--sims", "3", "--fine", "1h", among=of_finer)[1] == set(of_finer[:-1])


def test_a_forecast_needs_no_more():
    assert loaded("forecast", "ETHUSD") == (0, {"numpy", "rich.table"})
    assert loaded("forecast", "ETHUSD", "--json") == (0, {"numpy"})


def test_looking_after_data_and_cache_needs_no_more():
    for code, modules in in_one_process("data list", "data show NVDA", "data check", "cache info", "cache verify"):
        assert code == 0
        assert modules <= {"numpy", "rich.table"}


def test_looking_back_at_runs_needs_no_more(tmp_path):
    out = str(tmp_path / "out")
    command_line.run("backtest", "ETHUSD", "--sims", "3", "--output", out)
    for code, modules in in_one_process(["runs", "list", out], ["runs", "show", out], ["runs", "compare", out, out]):
        assert code == 0
        assert modules <= {"numpy", "rich.table"}
