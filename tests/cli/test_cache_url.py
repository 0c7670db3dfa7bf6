"""A shared cache from the command line, and a password that nobody gets to see."""

from __future__ import annotations

import json

import pytest

from tests.postgres import PASSWORD

QUICK = ("--sims", "3", "--window", "5")
AWAY = "postgresql://trader:hunter2@127.0.0.1:1/db"


def test_every_cache_command_works_on_a_database(cli, postgres, monkeypatch):
    monkeypatch.setenv("MARKETSIM_CACHE_URL", postgres.url)
    place = f"postgresql://trader:***@127.0.0.1:{postgres.port}/postgres"
    said = [cli("backtest", "ETHUSD", "NVDA", *QUICK) for _ in range(2)]
    assert "18 forecasts made, 0 reused" in said[0].out
    assert "0 forecasts made, 18 reused" in said[1].out
    said += [cli("cache", "info"), cli("cache", "info", "--json"), cli("cache", "verify", "ETHUSD", "--json")]
    assert json.loads(said[3].out)["symbols"] == {"ETHUSD": 9, "NVDA": 9}
    assert json.loads(said[3].out)["path"] == place
    assert json.loads(said[4].out)["symbols"] == [{"symbol": "ETHUSD", "cached": 9, "checked": 9, "different": 0}]
    said += [cli("cache", "prune", "--older-than", "1", "--json"), cli("cache", "clear"), cli("config", "--json")]
    assert json.loads(said[5].out)["deleted"] == 0
    assert said[6].out.replace("\n  ", " ") == f"18 forecasts deleted from {place}\n"
    for ended in said:
        assert (ended.code, ended.err) == (0, "")
        assert PASSWORD not in ended.out and postgres.url not in ended.out


@pytest.mark.parametrize("arguments", ["backtest ETHUSD --json", "backtest ETHUSD --debug", "fills ETHUSD --json"])
def test_a_database_that_is_away_is_one_note(arguments, cli):
    ended = cli(*arguments.split(), *QUICK, "--cache-url", AWAY)
    assert ended.code == 0
    assert ended.err.startswith("note: forecast cache postgresql://trader:***@127.0.0.1:1/db: ")
    assert ended.err.count("\n") == 1
    assert "hunter2" not in ended.out + ended.err


@pytest.mark.parametrize("arguments", ["cache info", "cache clear --debug", "cache prune --keep 1", "cache verify"])
def test_looking_after_a_database_that_is_away_is_an_error(arguments, cli):
    ended = cli(*arguments.split(), "--cache-url", AWAY)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.splitlines()[-1].endswith("; try again, or ask who keeps the database")
    assert "hunter2" not in ended.err


@pytest.mark.parametrize("arguments", ["config", "config --json"])
def test_config_does_not_show_the_password(arguments, cli, tmp_path):
    (tmp_path / "own.toml").write_text(f"cache_url = '{AWAY}?password=hunter2'")
    out = cli(*arguments.split(), "--config", str(tmp_path / "own.toml")).out
    assert "trader:***" in out
    assert "hunter2" not in out


def test_a_url_that_is_wrong_is_not_quoted(cli, tmp_path):
    for url in ("postgresql://trader:hun@ter2@host/db", "postgresql://trader:hunter2@host/db?hunter2"):
        ended = cli("backtest", "ETHUSD", *QUICK, "--cache-url", url)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith("marketsim: --cache-url: ")
        assert not any(part in ended.err for part in ("hun@", "ter2"))
