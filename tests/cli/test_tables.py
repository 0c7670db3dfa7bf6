from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from marketsim.cli import tables
from marketsim.results import text_tables
from tests.documents import failed_symbol, plan_row, symbol_document, timing_document


def shown(capsys, monkeypatch, columns: int, *symbols, full: bool = True) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    for symbol in symbols:
        tables.symbol(symbol, full)
    tables.timing(timing_document())
    return capsys.readouterr().out


def table(text: str, title: str) -> list[list[str]]:
    """The body of the table under `title`, by cells."""
    lines = text[text.index(title) :].splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("──"))
    body = lines[rule + 1 : lines.index("", rule)]
    return [[cell.strip() for cell in line.split("  ") if cell.strip()] for line in body]


def test_every_number_is_in_its_table(capsys, monkeypatch):
    text = shown(capsys, monkeypatch, 80, symbol_document())
    body = table(text, "Profit")
    assert body[0] == ["entry-exit", "+23.4", "+4.5", "-57.1 .. +66.2", "88", "5,433"]
    assert body[-1] == ["buy-and-hold", "-", "+4.5", "-", "88", "5,433"]
    assert table(text, "Sum over all bars")[0] == ["entry-exit", "+23.4", "+3.1 .. +45.7"]
    assert table(text, "Trades")[0] == ["entry-exit", "9", "35", "50", "60", "12", "68"]
    risk = table(text, "Risk")
    assert risk[0] == ["entry-exit", "0.51", "-3.21 .. +4.32", "-0.05", "-2.10 .. +6.54", "12.3"]
    assert risk[-1] == ["buy-and-hold", "-", "-", "-", "-", "12.3"]
    assert "annualized over 365 bars a year" in text
    for words in (
        "ETHUSD CAN'T TELL",
        "always-on earned 4.5 bps a bar, which may be luck.",
        "Order for 2020-12-09 (always-on): buy at a limit of 540.25, take-profit 570.50, else exit at the close; "
        "sell short at a limit of 570.50, take-profit 540.25, else exit at the close.",
        "• It may be chance. • More of that. • The forecast range is 14.0 times the cost of a round trip.",
        "1,209 from 2017-08-18 to 2020-12-08, 0 gaps, 3 bad rows left out",
        "har 1, fits on past bars only, 2 forecasts repaired",
        "no order if its in-sample t is below 1",
        "4 of 142 fits fell back to differential-evolution",
        "long only (crypto)",
        "15 bps a side, slippage 5 bps",
        "131 forecasts made, 1,310 reused",
        "142 fits made (5,123 a second)",
        "0.30 s from the start of the process",
    ):
        assert words in " ".join(text.split())


@pytest.mark.parametrize("columns", [120, 80, 60])
def test_tables_shrink_to_the_terminal_and_lose_no_digit(columns, capsys, monkeypatch):
    text = shown(capsys, monkeypatch, columns, symbol_document(), failed_symbol("XXX", "no such thing, " * 20))
    assert max(map(len, text.splitlines())) <= columns
    for number in ("-123.4", "+987.6", "-1234.5", "+2345.6", "-0.05", "540.25", "570.50", "0.150"):
        assert number in text


@pytest.mark.parametrize("full", [True, False])
def test_the_same_numbers_in_every_terminal(full, capsys, monkeypatch):
    """In 60, 80 and 120 columns, and without color: laid out otherwise, but none is missing."""
    found = []
    for columns, plain in ((60, ""), (80, ""), (120, ""), (80, "1")):
        monkeypatch.setenv("NO_COLOR", plain)
        text = shown(capsys, monkeypatch, columns, symbol_document(), full=full)
        assert "\x1b" not in text
        found.append(set(re.findall(r"[-+]?\d+\.\d+|\d{1,3}(?:,\d{3})+", text)))
    assert found[1:] == found[:1] * 3
    assert len(found[0]) > 8


def test_an_answer_takes_a_screen_with_its_table(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    tables.symbol(symbol_document(), full=False)
    tables.timing_line(timing_document())
    text = capsys.readouterr().out
    assert len(text.splitlines()) + 1 < 24  # the hint, and the prompt
    assert text.splitlines()[0] == "ETHUSD  CAN'T TELL"
    assert "Trades" not in text
    assert "Timing: 0.30 s, 131 forecasts made, 1,310 reused, 142 fits." in text


def test_a_row_without_orders_is_no_row(capsys, monkeypatch):
    document = symbol_document()
    rows = [replace(row, orders=0) if row.name.startswith("entry-exit") else row for row in document.rows]
    text = shown(capsys, monkeypatch, 80, replace(document, rows=rows))
    for title in ("Profit", "Sum over all bars", "Trades", "Risk"):
        assert not any(line[0].startswith("entry-exit") for line in table(text, title))


def test_the_plan_is_that_of_every_strategy(capsys, monkeypatch):
    plans = [plan_row("a", "flat", False), plan_row("b", "long and short", False), plan_row("c", "short", True)]
    plans.append(replace(plan_row("d", "flat", True), t=0.456, stood_aside=True))
    text = shown(capsys, monkeypatch, 80, symbol_document(plan=plans, strategy="c"))
    body = table(text, "Plan for 2020-12-09; the last bar is 2020-12-08, close 554.12")
    assert [" ".join(line) for line in body] == [
        "a no order - - - 1.23",
        "b buy 540.25 570.50 take-profit, else close 1.23",
        "b sell 570.50 540.25 take-profit, else close 1.23",
        "c sell 570.50 - close 1.23",
        "d stands aside - - - 0.46",
    ]
    assert "Order for 2020-12-09 (c): sell short at a limit of 570.50, exit at the close." in text


def test_a_plan_whose_bar_is_over_is_none(capsys, monkeypatch):
    plans = [replace(plan_row("a", "long", False), stale=True)]
    text = shown(capsys, monkeypatch, 80, symbol_document(plan=plans, strategy="a"))
    assert "No order for 2020-12-09: that session is over (the bars end with 2020-12-08)." in text
    assert "No plan, as the session 2020-12-09 is over; the last bar is 2020-12-08" in " ".join(text.split())


def test_a_narrow_forecast_range_says_what_was_measured(capsys, monkeypatch):
    document = symbol_document()
    narrow = [replace(plan, range_in_costs=11.9) for plan in document.plan]
    text = " ".join(shown(capsys, monkeypatch, 80, replace(document, plan=narrow)).split())
    assert "11.9 times the cost of a round trip; below 12, standing aside was better" in text
    free = [replace(plan, range_in_costs=None) for plan in document.plan]
    assert "round trips" not in shown(capsys, monkeypatch, 80, replace(document, plan=free))


def test_a_symbol_that_failed_is_a_line_between_the_others(capsys, monkeypatch):
    text = shown(capsys, monkeypatch, 80, symbol_document(), failed_symbol("XXX"), symbol_document(symbol="BTCUSD"))
    assert text.index("ETHUSD  ") < text.index("XXX failed: no bars of it") < text.index("BTCUSD  ")


def test_outside_text_is_spelt_out(capsys, monkeypatch):
    source = "\x1b]0;title\x07 <b>file</b> &lt; [red]x[/red] :smile:"
    bars = replace(symbol_document().bars, source=source)
    hostile = symbol_document(bars=bars, verdict="\x1b[31m\x9b2J<script>\u202e")
    text = shown(capsys, monkeypatch, 80, hostile, failed_symbol("<img src=x>\r\n"))
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    assert "<b" not in text
    assert "&lt" not in text
    assert "[red]x[/red] :smile:" in text


def test_a_run_by_touch_has_a_column_for_it_beside_the_fills_that_decide(capsys, monkeypatch):
    document = symbol_document()
    assert "touch" not in shown(capsys, monkeypatch, 80, document, full=False)
    rows = [replace(row, headline=0.07, bars=70) for row in document.rows]
    evidence = replace(document.evidence, fill="expected")
    text = shown(capsys, monkeypatch, 80, replace(document, fill="touch", rows=rows, evidence=evidence), full=False)
    assert "expected fills (fit: touch)" in text
    assert text.count("+10.0 ") == len([row for row in rows if row.orders])


def test_holding_in_the_summary_is_over_the_bars_of_its_row():
    document = symbol_document()
    unseen = replace(document, evidence=replace(document.evidence, bars=0, holding_bps=1.5))
    held = next(row.mean_bps for row in document.rows if row.name == "buy-and-hold")
    assert text_tables.summary_row(unseen)[-1] == text_tables.summary_row(document)[-1] == f"{held:+.1f}"
