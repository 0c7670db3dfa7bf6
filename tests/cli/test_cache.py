"""`marketsim cache`, and what a run says of a cache that it cannot use or trust."""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3

import pytest

QUICK = ("--sims", "3", "--window", "5")


def test_a_cache_lives(cli):
    assert json.loads(cli("cache", "info", "--json").out)["forecasts"] == 0
    assert "It holds no forecasts." in cli("cache", "info").out
    cli("backtest", "ETHUSD", "NVDA", *QUICK)
    held = json.loads(cli("cache", "info", "--json").out)
    assert (held["forecasts"], held["symbols"]) == (18, {"ETHUSD": 9, "NVDA": 9})
    assert "forecasts.sqlite" in cli("cache", "info").out
    verified = json.loads(cli("cache", "verify", "ETHUSD", "--json").out)["symbols"]
    assert verified == [{"symbol": "ETHUSD", "cached": 9, "checked": 9, "different": 0}]
    assert json.loads(cli("cache", "prune", "--older-than", "1", "--json").out)["deleted"] == 0
    assert "18 forecasts deleted" in cli("cache", "clear").out
    assert json.loads(cli("cache", "info", "--json").out)["forecasts"] == 0


def test_cache_verify_prints_the_seed_of_its_sample_and_takes_it(cli):
    cli("backtest", "ETHUSD", "--sims", "40", "--window", "20")
    drawn = [json.loads(cli("cache", "verify", "ETHUSD", "--json").out) for _ in range(2)]
    assert drawn[0]["seed"] != drawn[1]["seed"]
    assert drawn[0]["digests"] == {"rows": 61, "damaged": 0}
    assert drawn[0]["symbols"] == [{"symbol": "ETHUSD", "cached": 61, "checked": 20, "different": 0}]
    table = cli("cache", "verify", "ETHUSD", "--sample-seed", "7").out
    assert "61 forecasts checked by their digests, 0 damaged" in table
    assert "--sample-seed 7" in table


def test_damage_is_told_by_verify_and_by_the_next_run_which_mends_it(cli, tmp_path):
    expected = cli("backtest", "ETHUSD", *QUICK, "--json").out
    [path] = tmp_path.rglob("forecasts.sqlite")
    with contextlib.closing(sqlite3.connect(path)) as file, file:
        file.execute("UPDATE forecasts SET value = zeroblob(288) WHERE key IN (SELECT key FROM forecasts LIMIT 2)")
    ended = cli("cache", "verify", "ETHUSD", "--json")
    assert (ended.code, json.loads(ended.out)["digests"]) == (1, {"rows": 9, "damaged": 2})
    assert "2 cached forecasts are damaged" in ended.err
    ended = cli("backtest", "ETHUSD", *QUICK, "--json")
    assert ended.out == expected.replace('"made": 9', '"made": 2').replace('"reused": 0', '"reused": 7')
    assert "2 stored forecasts are damaged" in ended.err
    assert cli("cache", "verify", "ETHUSD").code == 0


def test_cache_info_lists_what_was_moved_aside_and_clear_deletes_it(cli, tmp_path):
    cli("backtest", "ETHUSD", *QUICK)
    [path] = tmp_path.rglob("forecasts.sqlite")
    path.write_text("not a database")
    assert "moved to" in cli("backtest", "ETHUSD", *QUICK).err
    [moved] = json.loads(cli("cache", "info", "--json").out)["moved_aside"]
    assert moved["bytes"] == 14
    assert moved["name"] in cli("cache", "info").out
    cli("cache", "clear")
    assert json.loads(cli("cache", "info", "--json").out)["moved_aside"] == []


def test_cache_info_lists_what_audits_found_and_clear_deletes_it(cli, tmp_path):
    for name, knows in (("Honest", "origins"), ("Peeking", "np.minimum(origins + 1, len(series) - 1)")):
        (tmp_path / f"{name}.py").write_text(
            f"import numpy as np\n\n\nclass {name}:\n    def forecast(self, series, origins):\n"
            f"        move = series.ohlcv[{knows}, 3] / series.ohlcv[origins, 3] - 1\n"
            "        return np.linspace(-0.01, 0.01, 9) + np.zeros((len(origins), 4, 1)) + move[:, None, None]\n"
        )
        cli("backtest", "ETHUSD", *QUICK, "--model", f"{tmp_path / name}.py:{name}")
    honest, peeking = json.loads(cli("cache", "info", "--json").out)["audits"]
    assert (honest["model"], honest["symbol"], honest["caught"]) == ("Honest", "ETHUSD", None)
    assert peeking["model"] == "Peeking" and peeking["caught"].startswith("looks ahead (ETHUSD, origin 2020-1")
    shown = " ".join(cli("cache", "info").out.split())
    assert "passed on ETHUSD" in shown and "looks ahead (ETHUSD)" in shown
    assert "and 2 records of audits deleted" in cli("cache", "clear").out
    assert json.loads(cli("cache", "info", "--json").out)["audits"] == []
    assert json.loads(cli("cache", "clear", "--json").out)["audits"] == 0


@pytest.mark.parametrize("option", ["--keep", "--older-than"])
def test_prune_refuses_absurd_limits(option, cli):
    ended = cli("cache", "prune", option, "1e308")
    assert (ended.code, ended.err.count("\n")) == (2, 1)


def test_cache_verify_finds_a_forecast_that_differs(cli, monkeypatch):
    from marketsim.models.har import Har

    cli("backtest", "ETHUSD", *QUICK)
    honest = Har.forecast
    monkeypatch.setattr(Har, "forecast", lambda *arguments: honest(*arguments) + 0.001)
    ended = cli("cache", "verify", "ETHUSD")
    assert ended.code == 1
    assert ended.err.startswith("marketsim: 9 cached forecasts differ")


def test_a_cache_that_cannot_be_written_costs_a_note_and_not_the_run(cli, tmp_path):
    (tmp_path / "file").touch()
    elsewhere = ("--cache-dir", str(tmp_path / "file" / "below"))
    ended = cli("backtest", "ETHUSD", *QUICK, "--json", *elsewhere)
    assert ended.code == 0
    assert ended.out == cli("backtest", "ETHUSD", *QUICK, "--json", "--cache", "off").out
    assert re.fullmatch("note: forecast cache .* no new forecasts are saved\n", ended.err)
    ended = cli("cache", "clear", *elsewhere)
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.endswith("name another folder with --cache-dir\n")
    assert ended.err.count("\n") == 1
