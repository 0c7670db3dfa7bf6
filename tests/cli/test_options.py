"""Which settings each command takes, and how its help shows them."""

from __future__ import annotations

import pytest
import typer

from marketsim.cli.app import make_app
from marketsim.cli.options import GROUPS, TEXTS
from marketsim.settings.settings import CHOICES, KEYS


def commands(app, path=()):
    """Every command of the whole application, by its words."""
    for name, command in app.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands(typer.main.get_command(make_app([], whole=True))))
FIXED = {"fast": {"fast"}}  # by command: what it leaves no choice of


def settings_of(name: str) -> set[str]:
    return {param.name for param in COMMANDS[name].params} & set(KEYS)


@pytest.mark.parametrize("name", COMMANDS)
def test_the_settings_of_a_command_are_a_union_of_groups(name):
    taken = settings_of(name) | FIXED.get(name, set())
    whole = [set(group.keys) for group in GROUPS if taken & set(group.keys)]
    assert taken == set().union(*whole)


def test_the_groups_hold_every_setting_once():
    keys = [key for group in GROUPS for key in group.keys]
    assert len(keys) == len(set(keys))
    assert set(keys) == set(KEYS) == set(TEXTS)


def test_a_plan_takes_all_settings_a_backtest_those_of_a_run_and_fast_all_but_one_of_them():
    assert settings_of("plan") == set(KEYS)
    assert settings_of("backtest") == {*KEYS}
    assert settings_of("fast") == {*KEYS} - {"fast"}


@pytest.mark.parametrize(
    ("command", "options"),
    [
        ("cache verify", "--model fracast --context 512"),
        ("profile", "--bounds 0.02 --fee-bps 1"),
        ("data check", "--start 2020-01-01 --asset stock"),
        ("fills", "--device cpu --seed 7"),
        ("compare-optimizers", "--weights somewhere"),
    ],
)
def test_options_that_were_refused_once_are_taken(command, options):
    taken = settings_of(command)
    assert {word.removeprefix("--").replace("-", "_") for word in options.split() if word.startswith("--")} <= taken


@pytest.mark.parametrize("name", COMMANDS)
def test_help_shows_every_option_in_a_section_within_80_columns(name, cli):
    text = cli(*name.split(), "--help").out
    assert max(map(len, text.splitlines())) <= 80
    sections = [line.removesuffix(":") for line in text.splitlines() if line.endswith(":") and line[0] != " "]
    titles = list(dict.fromkeys(group.title for group in GROUPS if settings_of(name) & set(group.keys)))
    assert [section for section in sections if section not in ("Arguments", "Usage")] == ["Options", *titles]
    for param in COMMANDS[name].params:
        assert param.param_type_name == "argument" or param.opts[0] in text


def test_help_lists_choices_as_they_are_checked(cli):
    text = " ".join(cli("backtest", "--help").out.split())
    for key, choices in CHOICES.items():
        if key not in ("model", "optimizer"):
            assert f"--{key.replace('_', '-')} {'|'.join(choices)}" in text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("backtest ETHUSD --num-simulations 5", "--num-simulations is called --sims here"),
        ("fast ETHUSD --num-sims=5", "--num-sims is called --sims here"),
        ("backtest ETHUSD --strategy maxdiff", "--strategy: got 'maxdiff', which is called 'entry-exit' here"),
        ("fast ETHUSD --fast", "No such option: --fast"),
        ("backtest ETHUSD --data=", "--data: got '', must be a file or a folder"),
        (
            "backtest ETHUSD --start 2020-02-01 --end 2020-01-01",
            "2020-02-01 lies after the last day 2020-01-01 (--end)",
        ),
        ("cache prune --keep 1e308", "--keep"),
    ],
)
def test_a_wrong_word_is_one_clear_line(arguments, said, cli):
    ended = cli(*arguments.split())
    assert (ended.code, ended.out, ended.err.count("\n")) == (2, "", 1)
    assert said in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        "backtest URL",
        "backtest ETHUSD --output URL",
        "backtest ETHUSD --cache-dir URL",
        "backtest ETHUSD --scheduler URL",
        "backtest ETHUSD --cache-urll=URL",
        "backtest ETHUSD --symbols-file URL",
        "config --config URL",
        "cache info --cache-dir URL",
        "compare-optimizers --landscape URL",
        "profile --trace URL",
        "runs list URL",
        "data show URL",
        "URL",
        "backtest ETHUSD --model URL --debug",
    ],
)
def test_a_password_is_neither_shown_nor_made_a_path(arguments, cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = cli(*arguments.replace("URL", "postgresql://me:s3cret@host/db").split())
    assert (ended.code, ended.out) == (2, "")
    assert "s3cret" not in ended.err
    assert not list(tmp_path.iterdir())


def test_what_the_reference_s_variables_cannot_do_is_one_note(cli, monkeypatch):
    monkeypatch.setenv("MARKETSIM_FAST_OPTIMIZE", "1")
    monkeypatch.setenv("MARKETSIM_NUM_SIMULATIONS", "3")
    ended = cli("backtest", "ETHUSD", "--window", "5", "--json")
    assert ended.code == 0
    assert ended.err == "note: variables of the reference system without effect here: MARKETSIM_FAST_OPTIMIZE\n"
    assert '"sims": 3' in ended.out


@pytest.mark.parametrize("group", ["", *(name for name in ("models", "data", "cache", "runs"))])
def test_a_summary_is_a_sentence_that_fits(group, cli):
    text = cli(*group.split(), "--help").out
    summaries = text[text.index("Commands:") :].splitlines()[1:]
    assert summaries and all(line.endswith(".") and not line.endswith("...") for line in summaries)


def test_a_file_of_symbols_may_begin_with_a_byte_order_mark(cli, tmp_path):
    (tmp_path / "symbols.txt").write_text("ETHUSD  # a coin\n", encoding="utf-8-sig")
    ended = cli("backtest", "--symbols-file", str(tmp_path / "symbols.txt"), "--sims", "2", "--window", "3", "--json")
    assert (ended.code, ended.err) == (0, "")
    assert '"symbol": "ETHUSD"' in ended.out
