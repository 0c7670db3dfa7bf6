"""Command lines, files and names that are refused: one line, and the exit code."""

from __future__ import annotations

import pytest

from marketsim.backtesting import parallel
from marketsim.errors import DataError, MarketsimError, UsageError
from tests.cli.test_commands import QUICK, broken


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("bactest ETHUSD", "'backtest'"),
        ("backtest ETHUSD --simz 5", "--sims"),
        ("backtest ETHUSD --sims", "requires an argument"),
        ("backtest", "SYMBOL"),
        ("data", "see 'marketsim data --help'"),
        ("cache prune", "--older-than"),
        ("cache prune --keep lots", "--keep"),
        ("backtest ETHUSD --sims 0", "1 or more"),
        ("backtest ETHUSD --bounds 0.03,-0.03", "below"),
        ("backtest ETHUSD --model hat", "'har'"),
        ("backtest ETHUSD --source files", "--data"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(arguments, hint, cli):
    ended = cli(*arguments.split())
    assert (ended.code, ended.out) == (2, "")
    assert hint in ended.err
    assert ended.err.startswith("marketsim: ")
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    "command",
    [
        "backtest ETHUSD --output file/below",
        "backtest ETHUSD --output file",
        "forecast ETHUSD --history --output file/below.csv",
        "data convert ETHUSD --to file/below",
        "data resample ETHUSD --into 1w --to file",
        "compare-optimizers --output file/below",
        "compare-optimizers --history file/below.csv",
        "compare-optimizers --history file.csv",
        "profile --trace file/below.json",
        "profile --trace file.csv",
        "models new file/below.py",
        "cache clear --cache-dir file",
    ],
)
def test_an_output_that_cannot_be_written_is_one_line_and_2(command, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "file.csv").touch()
    ended = cli(*command.split())
    assert (ended.code, ended.out) == (2, "")
    assert "file" in ended.err
    assert ended.err.count("\n") == 1


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (MarketsimError("it failed"), 1, "it failed"),
        (UsageError("wrong"), 2, "wrong"),
        (DataError("no bars\x1b[31m\nat all"), 3, "no bars\\x1b[31m at all"),
        (ZeroDivisionError("<b>oh"), 1, "unexpected ZeroDivisionError: \\x3cb>oh (--debug shows where)"),
        (MemoryError("1 GiB"), 1, "memory ran out: ask for less at once, such as fewer --sims, symbols or --workers"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (OSError(28, "No space left on device"), 1, "No space left on device"),
    ],
)
def test_an_exception_is_one_line_and_its_code(error, code, words, cli, monkeypatch):
    def fail(*arguments: object, **named: object) -> None:
        raise error

    monkeypatch.setattr(parallel, "stream", fail)
    ended = cli("backtest", "ETHUSD")
    assert (ended.code, ended.out) == (code, "")
    assert words in ended.err
    assert ended.err.count("\n") == 1
    if not isinstance(error, KeyboardInterrupt):
        ended = cli("backtest", "ETHUSD", "--debug")
        assert ended.code == code
        assert ended.err.startswith("Traceback")
        assert words in ended.err.splitlines()[-1]


def test_debug_shows_where_a_symbol_failed(cli):
    assert "Traceback" in cli("backtest", "XXX", "--debug").err


@pytest.mark.parametrize("name", ["\x1b[31mETHUSD", "<script>alert(1)</script>", "ETH\x00USD", "ETH\u202eUSD", "../x"])
def test_a_hostile_symbol_does_not_reach_the_terminal_raw(name, cli, tmp_path):
    for arguments in (["backtest", name], ["backtest", name, "ETHUSD", *QUICK], ["data", "show", name]):
        ended = cli(*arguments)
        assert ended.code in (3, 4)
        for text in (ended.out, ended.err):
            assert not {c for c in text if not c.isprintable()} - {"\n"}
            assert "<script" not in text


def test_a_hostile_file_name_does_not_reach_the_terminal_raw(cli, tmp_path):
    directory = tmp_path / "\x1b[31m<b>"
    directory.mkdir()
    (directory / "BAD.csv").write_text(broken("BAD"))
    for arguments in (["backtest", "BAD"], ["data", "check"], ["data", "list"]):
        ended = cli(*arguments, "--data", str(directory / "BAD.csv"))
        assert ended.code == 3
        assert "\x1b" not in ended.err + ended.out
        assert "<b" not in ended.err + ended.out
