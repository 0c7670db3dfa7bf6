"""`marketsim audit`: an honest model passes, one that peeks is told by its first bar, and the selftest holds."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import marketsim
from marketsim.auditing import selftest

QUICK = ("--sims", "6", "--window", "5", "--origins", "2")
PEEKING = """
import numpy as np


class Peeking:
    trained_until = None

    def forecast(self, series, origins):
        prices = series.ohlcv[np.minimum(origins + 1, len(series) - 1), :4]
        return np.repeat((prices / series.ohlcv[origins, 3, None] - 1)[..., None], 9, -1)
"""


@pytest.fixture
def peeking(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "peeking.py").write_text(PEEKING)
    return "peeking.py:Peeking"


def test_the_default_model_passes(cli):
    ended = cli("audit", "ETHUSD", *QUICK[:-1], "99")
    assert ended.code == 0
    assert "Walk   12 origins; the future is changed after 5 of them" in ended.out
    assert "ETHUSD: passed. No result depends on bars after its origin." in ended.out
    assert re.search(r"other processes +12 +1e-09 +0 +same", ended.out)
    assert "MOVED" not in ended.out


@pytest.mark.usefixtures("no_processes")
def test_a_model_that_peeks_is_told_by_its_first_bar_and_what_its_profit_rests_on(cli, peeking):
    ended = cli("audit", "ETHUSD", *QUICK, "--model", peeking)
    assert ended.code == 5
    assert ended.err == "marketsim: the audit of model 'Peeking' shows a defect\n"
    words = " ".join(ended.out.split())
    assert "each origin alone: at the origin 2020-11-27, for the bar 2020-11-28, open moves from" in words
    assert "ETHUSD: defect. Do not trust its backtest." in words
    document = json.loads(cli("audit", "ETHUSD", *QUICK, "--model", peeking, "--json").out)
    (symbol,) = document["symbols"]
    assert not document["passed"] and not symbol["passed"]
    moved = {check["check"]: check["first"] for check in symbol["checks"] if not check["passed"]}
    assert {"each origin alone", "future cut", "future scrambled", "future rescaled"} <= moved.keys()
    assert moved["each origin alone"]["origin"] == "2020-11-27"
    assert moved["each origin alone"]["stage"] == "forecast"
    assert moved["each origin alone"]["after"] != moved["each origin alone"]["before"]
    for profit in symbol["profits"]:
        assert profit["as_run_bps"] > profit["alone_bps"] + 50


@pytest.mark.usefixtures("no_processes")
def test_symbols_that_cannot_be_audited_are_told_and_the_others_are_done(cli):
    ended = cli("audit", "NOPE", "ETHUSD", *QUICK)
    assert ended.code == 4
    assert "ETHUSD: passed." in ended.out
    assert "NOPE failed: no bars of NOPE" in ended.out
    assert ended.err == "marketsim: 1 of 2 symbols failed\n"
    ended = cli("audit", "NOPE")
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)
    ended = cli("audit", "ETHUSD", "--sims", "1")
    assert (ended.code, ended.err.count("\n")) == (3, 1)
    assert "--sims 2 or more" in ended.err


def test_the_selftest_shows_every_leak_and_fails_where_one_is_missed(cli, monkeypatch):
    monkeypatch.setattr(selftest, "LEAKS", selftest.LEAKS[3:5])
    ended = cli("audit", "--selftest")
    assert (ended.code, ended.err) == (0, "")
    assert "2 of 2 leaks caught, 2 of 2 clean twins passed." in ended.out
    monkeypatch.setattr(selftest.LEAKS[0], "guess", lambda self, series, origin: 0.0)
    ended = cli("audit", "--selftest")
    assert ended.code == 1
    assert "MISSED" in ended.out
    assert "1 of 2 leaks caught, 2 of 2 clean twins passed." in ended.out


RUN = ("ETHUSD", "--sims", "6", "--window", "5")


@pytest.mark.parametrize("more", [(), ("NVDA", "--workers", "2"), ("--json",), ("--cache", "off")])
def test_a_model_that_peeks_has_no_backtest(cli, peeking, more):
    ended = cli("backtest", *RUN, *more, "--model", peeking)
    assert (ended.code, ended.out) == (5, "")
    assert ended.err.count("\n") == 1
    caught = re.match(r"marketsim: model 'Peeking' looks ahead \((\w+), origin 202\d-", ended.err)
    assert caught is not None and caught[1] in (RUN[0], *more)  # of two workers, whichever is first
    assert "its profit proves nothing; 'marketsim audit' shows more" in ended.err


def test_it_is_shown_where_that_is_allowed_with_the_word_in_every_table(cli, peeking):
    ended = cli("backtest", *RUN, "NVDA", "--model", peeking, "--allow-lookahead", "--full")
    assert ended.code == 0
    titles = [
        line for line in ended.out.splitlines() if line.startswith(("Profit", "Trades", "Risk", "Plan", "Timing"))
    ]
    assert titles == []
    assert ended.out.count("LOOK-AHEAD: ") >= 10
    assert "ETHUSD  CAN'T TELL\nLOOK-AHEAD, so no profit here counts: model 'Peeking' looks ahead" in ended.out
    assert "No order for 2020-12-09: its model was caught looking ahead." in ended.out
    document = json.loads(cli("backtest", *RUN, "--model", peeking, "--allow-lookahead", "--json").out)
    assert document["settings"]["allow_lookahead"] is True
    assert document["symbols"][0]["model"]["look_ahead"].startswith("model 'Peeking' looks ahead")
    assert "LOOK-AHEAD" not in cli("backtest", *RUN).out


def test_it_is_a_row_that_failed_among_models_that_are_compared(cli, peeking):
    compare = ("compare-models", *RUN, "--models", f"har,{peeking}")
    ended = cli(*compare)
    assert ended.code == 5
    assert "peeking.py:Peeking: model 'Peeking' looks ahead" in ended.out
    allowed = cli(*compare, "--allow-lookahead")
    assert allowed.code == 0
    assert allowed.out.count("LOOK-AHEAD") >= 5
    rows = json.loads(cli(*compare, "--allow-lookahead", "--json").out)["symbols"][0]["models"]
    assert [row["look_ahead"] is not None for row in rows] == [False, True]


def test_it_may_forecast_what_nobody_knows_yet_and_that_it_was_caught_is_said(cli, peeking):
    """After the newest bar there is nothing to peek at; what counts is what is known of the model."""
    before = cli("forecast", "ETHUSD", "--model", peeking)
    assert (before.code, before.err) == (0, "") and "LOOK-AHEAD" not in before.out
    cli("backtest", *RUN, "--model", peeking)
    ended = cli("forecast", "ETHUSD", "--model", peeking)
    assert ended.code == 0
    assert ended.err.startswith("note: LOOK-AHEAD: model 'Peeking' looks ahead (ETHUSD, origin 2020-1")
    assert "LOOK-AHEAD: Forecast of 2020-12-09" in ended.out and "picked by" not in ended.out
    assert "its past profits do not count." in " ".join(ended.out.split())
    (symbol,) = json.loads(cli("forecast", "ETHUSD", "--model", peeking, "--json").out)["symbols"]
    assert symbol["model"]["look_ahead"] in symbol["warning"]


@pytest.mark.usefixtures("no_processes")
def test_notes_on_bars_and_files_are_told_by_an_audit_too(cli, given, tmp_path):
    file = tmp_path / "given.csv"
    file.write_text(
        "\n".join(f"{line},{'strange' if i == 0 else 1}" for i, line in enumerate(file.read_text().split()))
    )
    ended = cli("audit", "ETHUSD", *QUICK, *given)
    assert ended.err == "note: given.csv: columns that are not used: strange\n"
    assert "Loss relative to har's on 78 bars" in ended.out


def test_other_commands_refuse_it_too_and_show_it_where_that_is_allowed(cli, peeking):
    for command in (("fills",), ("compare-optimizers", "--optimizers", "exact")):
        words = (*command, *RUN, "--model", peeking)
        assert cli(*words).code == 5
        allowed = cli(*words, "--allow-lookahead")
        assert allowed.code == 0 and "LOOK-AHEAD: " in allowed.out


def test_a_peeking_model_is_not_scored_nor_written_to_a_file(cli, peeking):
    ended = cli("score-forecasts", "ETHUSD", "--models", f"har,{peeking}", "--bars", "40")
    assert ended.code == 5
    assert "peeking.py:Peeking: model 'Peeking' looks ahead" in ended.out
    ended = cli("forecast", *RUN, "--model", peeking, "--history", "--output", "mine.csv")
    assert ended.code == 5
    assert not Path("mine.csv").exists()


@pytest.fixture
def given(tmp_path, monkeypatch):
    """A file of forecasts that are the truth and some noise."""
    monkeypatch.chdir(tmp_path)
    bars = marketsim.load_bars("ETHUSD")
    rng, lines = np.random.default_rng(0), ["origin,high,low,close"]
    for origin in range(len(bars) - 80, len(bars)):
        prices = bars.ohlcv[min(origin + 1, len(bars) - 1), 1:4] * (1 + 0.012 * rng.standard_normal())
        lines.append(",".join(map(str, (bars.names()[origin], *prices))))
    (tmp_path / "given.csv").write_text("\n".join(lines) + "\n")
    return ("--forecasts", "ETHUSD=given.csv")


@pytest.mark.usefixtures("no_processes")
def test_a_file_that_knows_too_much_is_hard_to_believe_and_no_more(cli, given):
    run = ("ETHUSD", "--sims", "20", "--window", "20", *given)
    for _ in range(2):
        ended = cli("backtest", *run, "--json")
        assert ended.code == 0
        (note,) = (line for line in ended.err.splitlines() if "implausible" in line)
        assert "note: the forecasts of 'given.csv' are implausible (ETHUSD: on 78 bars their loss is 0." in note
        (symbol,) = json.loads(ended.out)["symbols"]
        assert symbol["model"]["look_ahead"] is None
        assert symbol["model"]["implausible"] == symbol["reasons"][0]
    ended = cli("audit", *run, "--origins", "1")
    assert ended.code == 0
    words = " ".join(ended.out.split())
    assert "ETHUSD: passed. The rest of the backtest does not look ahead" in words
    assert "ETHUSD: implausible: their loss is 0." in words
    assert "prices x" not in words


@pytest.mark.usefixtures("no_processes")
def test_what_an_audit_found_is_remembered(cli, tmp_path, monkeypatch):
    """A leak that acts on one bar in fifty may escape a handful of origins, but not an audit and what follows it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rare.py").write_text(
        "import numpy as np\n\n\nclass Rare:\n    trained_until = None\n\n    def forecast(self, series, origins):\n"
        "        next_bar = np.minimum(origins + 1, len(series) - 1)\n"
        "        seen = np.where(origins % 50 == 7, next_bar, origins)\n"
        "        moves = series.ohlcv[seen, :4] / series.ohlcv[origins, 3, None] - 1\n"
        "        return np.repeat(moves[..., None], 9, -1)\n"
    )
    run = ("ETHUSD", "--sims", "50", "--window", "10", "--model", "rare.py:Rare")
    assert cli("audit", *run, "--origins", "1").code == 5
    ended = cli("backtest", *run)
    assert ended.code == 5
    assert "model 'Rare' looks ahead (ETHUSD, origin" in ended.err
    assert "in the check 'each origin alone'" in ended.err
