"""`marketsim fills`: which bars leave a fill open, and one of them drawn."""

from __future__ import annotations

import io
import json
import re
import sys

import pytest

from marketsim.cli import main

WALK = ("--strategy", "always-on", "--sims", "40", "--min-t", "0")
OPEN_BAR = "2020-11-03"  # entered, reached the take-profit, closed below it


def test_the_newest_bar_in_doubt_is_listed_and_drawn(cli):
    ended = cli("fills", "ETHUSD", *WALK)
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(cli("fills", "eth/usd", *WALK, "--json").out)
    (row,) = document["drawn"]
    doubtful = [row for row in document["bars"] if row["ambiguous"]]
    assert row == doubtful[0]
    assert row["evaluated"] == OPEN_BAR
    assert row["provable"] < row["expected"] < row["touch"]
    listed = ended.out.partition("\n\n")[0]
    assert all(row["evaluated"] in listed for row in doubtful)
    assert f"with probability {100 * row['probability']:.0f} %." in " ".join(ended.out.split())


def test_an_encoding_without_blocks_has_the_same_drawing_in_ascii(cli, monkeypatch):
    out = cli("fills", "ETHUSD", *WALK, "--at", OPEN_BAR).out
    written = io.TextIOWrapper(io.BytesIO(), "ascii")
    monkeypatch.setattr(sys, "stdout", written)
    with pytest.raises(SystemExit):
        main()
    written.flush()
    drawn = written.buffer.getvalue().decode()
    assert "\\u" not in drawn
    assert drawing(drawn) == drawing(out).translate(str.maketrans("█│╌", "#|-"))


def drawing(out):
    return re.search(r"^[^\n]* high 404\.50.*low 378\.23$", out, re.DOTALL | re.MULTILINE)[0]


def test_the_drawing_holds_every_price_from_the_top_down(cli):
    out = cli("fills", "ETHUSD", *WALK, "--at", OPEN_BAR).out
    names = ("high 404.50", "take-profit 398.48", "open 397.14", "entry 392.51", "close 383.86", "low 378.23")
    places = [next(i for i, line in enumerate(out.splitlines()) if name in line) for name in names]
    assert places == sorted(places)
    drawn = out.splitlines()[places[0] : places[-1] + 1]
    assert [line[4] for line in drawn] == ["│"] * 4 + ["█"] * 8 + ["│"] * 3
    assert [i for i, line in enumerate(drawn) if line.startswith("╌╌╌╌")] == [
        places[1] - places[0],
        places[3] - places[0],
    ]
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("symbol", "arguments", "words"),
    [
        ("ETHUSD", ("--close-at-eod", "always"), "no bar leaves a fill in doubt"),
        ("ETHUSD", ("--close-at-eod", "always"), "closed by a market order at the close"),
        ("ETHUSD", ("--strategy", "entry-exit"), "No order was placed"),
        ("NVDA", ("--at", "2025-02-14"), "long and short"),
        (
            "ETHUSD",
            ("--min-t", "9"),
            "No order was placed on this bar: the simulation stood aside, its in-sample t was",
        ),
    ],
)
def test_other_bars_are_explained_too(cli, symbol, arguments, words):
    assert words in " ".join(cli("fills", symbol, *WALK, *arguments).out.split())


def test_a_bar_whose_entry_was_not_reached(cli):
    bars = json.loads(cli("fills", "ETHUSD", *WALK, "--json").out)["bars"]
    missed = next(row["evaluated"] for row in bars if row["orders"] and not row["trades"])
    assert "never traded through the entry" in cli("fills", "ETHUSD", *WALK, "--at", missed).out


@pytest.mark.parametrize("at", ["2019-01-01", "yesterday", ""])
def test_a_bar_outside_the_walk_is_one_line_that_names_its_ends(cli, at):
    ended = cli("fills", "ETHUSD", *WALK, "--at", at)
    assert (ended.code, ended.out) == (2, "")
    assert "they run from 2020-10-30 to 2020-12-08" in ended.err


def test_an_unknown_symbol_is_one_line(cli):
    ended = cli("fills", "ETHUDS", *WALK)
    assert (ended.code, ended.out, ended.err.count("\n")) == (3, "", 1)


def test_a_bar_is_drawn_by_its_finer_bars(cli):
    """AAPL fell through the entry in its first hour, which had reached the take-profit too."""
    command = ("fills", "AAPL", "--fine", "1h", "--strategy", "entry-exit", "--min-t", "1", "--at", "2026-07-28")
    ended = cli(*command)
    assert ended.code == 0
    assert "1h bars from 2026-07-28T13:30:00 to 2026-07-28T19:30:00 UTC; B buys, S sells" in ended.out
    text = " ".join(ended.out.split())
    assert "The long was entered in the 1h bar of 2026-07-28 13:30, which reached the take-profit too" in text
    (target,) = [line for line in ended.out.splitlines() if line.endswith("take-profit 341.72")]
    assert target.startswith("  ╌?╌")
    (trade,) = json.loads(cli(*command, "--json").out)["finer"][0]
    assert trade == {"side": "long", "entry": "2026-07-28T13:30:00", "exit": "2026-07-28T13:30:00", "how": "in doubt"}


def test_a_backtest_says_what_finer_bars_settle(cli):
    """On the short screen, in the header of the full one, and in the document."""
    line = "1h: 24 of 24 bars"
    walk = ("AAPL", "--fine", "1h", "--sims", "4", "--window", "20", "--cache", "off")
    assert f"Fine  {line}" in cli("backtest", *walk).out
    assert f"Fine   {line}" in cli("backtest", *walk, "--full").out
    (symbol,) = json.loads(cli("backtest", *walk, "--json").out)["symbols"]
    facts = symbol["fine"]
    assert facts["series"] == [{"timeframe": "1h", "source": facts["series"][0]["source"], "covered": 24}]
    assert facts["settled"] + facts["left"] == facts["ambiguous"] > 0
    assert (facts["bars"], facts["covered"], facts["disagreeing"]) == (24, 24, 0)
    assert "Fine" not in cli("backtest", *walk[:1], *walk[3:], "--full").out
