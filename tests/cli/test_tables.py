from __future__ import annotations

import pytest
from msgspec.structs import replace

from marketsim.cli import tables
from tests.documents import failed_symbol, plan_row, symbol_document, timing_document


def shown(capsys, monkeypatch, columns: int, *symbols) -> str:
    monkeypatch.setenv("COLUMNS", str(columns))
    tables.backtest(symbols)
    tables.timing(timing_document())
    return capsys.readouterr().out


def table(text: str, title: str) -> list[list[str]]:
    """The body of the table under `title`, by cells."""
    lines = text[text.index(title) :].splitlines()
    rule = next(i for i, line in enumerate(lines) if line.startswith("──"))
    body = lines[rule + 1 : lines.index("", rule)]
    return [line.split("  ") for line in body]


def test_every_number_is_in_its_table(capsys, monkeypatch):
    text = shown(capsys, monkeypatch, 80, symbol_document())
    body = [[cell.strip() for cell in line if cell.strip()] for line in table(text, "Profit")]
    assert body[0] == ["entry-exit", "+23.4", "+23.4", "+3.1 .. +45.7", "+4.5", "-57.1 .. +66.2"]
    assert body[-1] == ["buy-and-hold", "-", "+23.4", "+67.6", "+4.5", "-"]
    body = [[cell.strip() for cell in line if cell.strip()] for line in table(text, "Trades")]
    assert body[0] == ["entry-exit", "9", "35", "50", "60", "12", "68"]
    assert body[-1] == ["buy-and-hold", "-", "35", "50", "60", "12", "68"]
    body = [[cell.strip() for cell in line if cell.strip()] for line in table(text, "Risk")]
    assert body[0] == ["entry-exit", "0.51", "-0.05", "12.3"]
    assert "annualized over 365 bars a year" in text
    for words in (
        "1,209 from 2017-08-18 to 2020-12-08, 0 gaps, 3 bad ones left out",
        "har 1, fits on past bars only, 2 forecasts repaired",
        "4 of 142 fits fell back to differential-evolution",
        "long only (crypto)",
        "15 bps a side, slippage 5 bps",
        "no order where its in-sample t is below 1",
        "ETHUSD: entry-exit cannot be told from zero",
        "131 forecasts made, 1,310 reused",
        "142 fits made (5,123 a second)",
        "0.30 s from the start of the process",
    ):
        assert words in " ".join(text.split())


@pytest.mark.parametrize("columns", [80, 60])
def test_tables_shrink_to_the_terminal_and_lose_no_digit(columns, capsys, monkeypatch):
    text = shown(capsys, monkeypatch, columns, symbol_document(), failed_symbol("XXX", "no such thing, " * 20))
    assert max(map(len, text.splitlines())) <= columns
    for number in ("-123.4", "+987.6", "-1234.5", "+2345.6", "-0.05", "540.25", "570.50", "0.150"):
        assert number in text


def test_a_leg_enters_at_one_level_and_takes_profit_at_the_other(capsys, monkeypatch):
    plans = [plan_row("a", "flat", False), plan_row("b", "long and short", False), plan_row("c", "short", True)]
    plans.append(replace(plan_row("d", "flat", True), t=0.456, stood_aside=True))
    text = shown(capsys, monkeypatch, 80, symbol_document(plan=plans))
    body = table(text, "Plan for the bar 2020-12-09, after 2020-12-08 (close 554.12)")
    assert [" ".join(" ".join(line).split()) for line in body] == [
        "a flat no order - - 1.23",
        "b long take-profit, else at the close 540.25 570.50 1.23",
        "b short take-profit, else at the close 570.50 540.25 1.23",
        "c short market order at the close 570.50 - 1.23",
        "d flat no order: t is below 1 - - 0.46",
    ]


def test_a_symbol_that_failed_is_a_line_between_the_others(capsys, monkeypatch):
    text = shown(capsys, monkeypatch, 80, symbol_document(), failed_symbol("XXX"), symbol_document(symbol="BTCUSD"))
    assert text.index("ETHUSD:") < text.index("XXX failed: no bars of it") < text.index("BTCUSD:")


def test_outside_text_is_spelt_out(capsys, monkeypatch):
    source = "\x1b]0;title\x07 <b>file</b> &lt; [red]x[/red] :smile:"
    bars = replace(symbol_document().bars, source=source)
    hostile = symbol_document(bars=bars, verdict="\x1b[31m\x9b2J<script>\u202e")
    text = shown(capsys, monkeypatch, 80, hostile, failed_symbol("<img src=x>\r\n"))
    assert not {c for c in text if not c.isprintable()} - {"\n"}
    assert "<b" not in text
    assert "&lt" not in text
    assert "[red]x[/red] :smile:" in text
