"""`marketsim plan`: one line an order, of one strategy a symbol, for a session that is not over."""

from __future__ import annotations

import csv
import json
from io import StringIO

import pytest

from marketsim.cli.tables import EXPLAINED

EVENING = ("--end", "2020-07-31", "--now", "2020-08-01T00:30", "--sims", "20", "--window", "30", "--min-t", "0")
SYMBOLS = ("GOOG", "ETHUSD")


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def test_a_line_an_order_for_the_session_to_come(cli):
    ended = cli("plan", *SYMBOLS, *EVENING, "--format", "csv", "--strategy", "always-on")
    assert (ended.code, ended.err) == (0, "")
    found = rows(ended.out)
    assert [(row["symbol"], row["session"], row["side"]) for row in found] == [
        ("GOOG", "2020-08-03", "buy"),
        ("GOOG", "2020-08-03", "sell"),
        ("ETHUSD", "2020-08-01", "buy"),
    ]
    assert {row["strategy"] for row in found} == {"always-on"}
    assert [row["zone"] for row in found] == ["America/New_York"] * 2 + ["UTC"]
    assert [(row["opens"], row["ends"]) for row in found[1:]] == [
        ("2020-08-03T09:30:00-04:00", "2020-08-03T16:00:00-04:00"),
        ("2020-08-01T00:00:00+00:00", "2020-08-02T00:00:00+00:00"),
    ]
    assert all(row["quantity"] == "" for row in found)
    document = json.loads(cli("backtest", *SYMBOLS, *EVENING, "--strategy", "always-on", "--json").out)
    assert [row["decision"] for row in found[1:]] == [each["decision"] for each in document["symbols"]]
    plan = document["symbols"][1]["plan"][0]
    assert float(found[2]["entry"]) == pytest.approx(plan["lower"], abs=0.01)
    assert float(found[2]["entry"]) <= plan["lower"]


def test_the_formats_say_the_same(cli):
    words = ("plan", *SYMBOLS, *EVENING, "--capital", "10000")
    document = json.loads(cli(*words, "--json").out)
    assert document == json.loads(cli(*words, "--format", "json").out)
    assert document["schema"] == "marketsim.plan/1"
    orders = rows(cli(*words, "--format", "csv").out)
    assert [float(row["quantity"]) for row in orders] == [order["quantity"] for order in document["orders"]]
    bodies = json.loads(cli(*words, "--format", "alpaca").out)
    assert [float(body["limit_price"]) for body in bodies] == [order["entry"] for order in document["orders"]]
    table = cli(*words).out
    quiet = cli(*words, "--quiet").out
    for order in document["orders"]:
        assert f"{order['entry']:.2f}" in table
        assert f"{order['entry']:.2f}" in quiet
    assert len(quiet.splitlines()) == len(orders)
    assert sum(order["quantity"] * order["entry"] for order in document["orders"]) <= 10_000


def test_a_session_that_is_over_or_a_bar_that_is_not_makes_no_plan(cli):
    stale = cli("plan", "ETHUSD", *EVENING[4:], "--exit-code")
    assert stale.code == 10
    assert "No order." in stale.out
    assert "ETHUSD: no order, that session is over (the bars end with 2020-12-08)" in stale.err
    assert cli("plan", "ETHUSD", *EVENING[4:]).code == 0
    for plan in json.loads(cli("backtest", "ETHUSD", *EVENING[4:], "--json").out)["symbols"][0]["plan"]:
        assert plan["no_order"] == "that session is over (the bars end with 2020-12-08)"
        assert (plan["stood_aside"], plan["entry"], plan["take_profit"]) == (False, None, None)
    partial = ("--end", "2020-07-31", "--now", "2020-07-31T12:00", "--partial", "keep", *EVENING[4:])
    kept = cli("plan", "ETHUSD", *partial, "--exit-code")
    assert kept.code == 10
    assert "the bar 2020-07-31 is not complete" in kept.err
    assert cli("plan", "ETHUSD", *partial[:4], *EVENING[4:], "--exit-code").code == 0  # it is left out: for today's


def test_only_and_quiet_for_scripts(cli):
    ended = cli("plan", *SYMBOLS, *EVENING, "--only", "TRADE", "--quiet", "--exit-code")
    assert (ended.code, ended.out, ended.err) == (10, "", "")
    told = cli("plan", *SYMBOLS, *EVENING, "--only", "TRADE")
    assert told.code == 0
    assert "no order, the decision is" in told.err


def test_steps_and_shares_are_those_that_were_given(cli, tmp_path):
    (tmp_path / "lots").write_text("GOOG=10  # board lots\nETHUSD=0.5\n")
    words = ("plan", *SYMBOLS, *EVENING, "--capital", "20000", "--max-per-symbol", "30%", "--json")
    document = json.loads(cli(*words, "--tick", "0.05", "--tick", "ETHUSD=1", "--lot", str(tmp_path / "lots")).out)
    for order in document["orders"]:
        tick, lot = {"GOOG": (0.05, 10), "ETHUSD": (1, 0.5)}[order["symbol"]]
        assert order["entry"] / tick == pytest.approx(round(order["entry"] / tick))
        assert order["quantity"] / lot == pytest.approx(round(order["quantity"] / lot))
        assert order["quantity"] * order["entry"] <= 6000
    assert (document["capital"], document["max_per_symbol"]) == (20000, 0.3)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "nothing to run: give SYMBOL"),
        ("ETHUSD --format xml", "--format: got 'xml', must be one of table, csv, json, alpaca"),
        ("ETHUSD --format alpaca", "--format alpaca needs --capital"),
        ("ETHUSD --capital -5", "--capital: got -5, must be an amount above 0"),
        ("ETHUSD --capital nan", "--capital: got nan"),
        ("ETHUSD --max-per-symbol 120%", "--max-per-symbol: got '120%', must be a share such as 20% or 0.2"),
        ("ETHUSD --risk high", "--risk: got 'high', must be one of equal, volatility"),
        ("ETHUSD --only BUY", "--only: got 'BUY'"),
        ("ETHUSD --tick 0", "--tick: got '0', must be above 0"),
        ("ETHUSD --lot nowhere", "--lot: got 'nowhere', must be a number, SYMBOL=NUMBER or a file"),
        ("ETHUSD --lot ETHUSD=x", "--lot: got 'ETHUSD=x', must be above 0"),
    ],
)
def test_a_wrong_command_line_is_one_line_and_2(cli, words, said):
    ended = cli("plan", *words.split())
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_a_symbol_that_fails_leaves_the_others_their_orders(cli):
    ended = cli("plan", "NOPE", *SYMBOLS, *EVENING)
    assert ended.code == 4
    assert "NOPE: no order, no bars of NOPE" in ended.err
    assert "GOOG" in ended.out


def test_many_symbols_have_their_plan_below_the_summary(cli):
    many = ("backtest", "GOOG", "ETHUSD", "BTCUSD", "MSFT", *EVENING)
    text = cli(*many).out
    assert text.index("Summary") < text.index("Reality check") < text.index("Orders; what is not taken")
    assert "all 4" in text
    explained = " ".join(cli(*many, "--explain").out.split())
    assert explained.index("Reality check:") < explained.index(EXPLAINED["summary"]) < explained.index("Orders; what")
    assert explained.index("Orders; what") < explained.index(EXPLAINED["plan"])
    full = cli(*many, "--full").out
    assert (full.count("Risk, annualized"), full.count("all 4")) == (4, 2)
