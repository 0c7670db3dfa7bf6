from __future__ import annotations

import io
import json
import os
import re
import sys
import threading
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.cli import output, progress


class Terminal(io.StringIO):
    def __init__(self) -> None:
        super().__init__()
        self.drawn = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.drawn.set()
        return super().write(text)


@given(st.text())
def test_clean_text_is_one_printable_line_without_tags(text):
    cleaned = output.clean(text)
    assert cleaned.isprintable()
    assert not re.search(output.MARKUP, cleaned)
    assert output.clean(cleaned) == cleaned


def test_clean_keeps_what_is_harmless():
    text = "5 < 6 & 7 > 2, S&P, Zürich 東京 [bold] C:\\x"
    assert output.clean(text) == text
    assert output.clean("a\nb\x1b[0m") == "a b\\x1b[0m"


def test_notes_come_once_each_on_stderr(capsys):
    output.notes(["one\x07", "two", "one\x07"])
    assert capsys.readouterr() == ("", "note: one\\x07\nnote: two\n")


def test_the_same_of_many_symbols_is_one_line(capsys):
    few = [f"{symbol}: 2 gaps: 3 bars" for symbol in "ABC"]
    many = [f"S{i}: taken as crypto (--asset stock)" for i in range(1_200)]
    plain = [f"{number} pictures are drawn" for number in range(5)]
    output.notes([*few, *many, *plain, "A: three more"])
    assert capsys.readouterr().err.splitlines() == [
        *(f"note: {line}" for line in few),
        "note: S0: taken as crypto (--asset stock); the same of S1, S2 and 1,197 more",
        *(f"note: {line}" for line in plain),
        "note: A: three more",
    ]


def test_documents_are_json_and_never_nan(capsys):
    output.document({"symbol": "\x1b<b>"})
    assert json.loads(capsys.readouterr().out) == {"symbol": "\x1b<b>"}
    with pytest.raises(ValueError, match="JSON"):
        output.document({"value": float("nan")})


def test_without_stderr_nothing_lands_on_stdout(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stderr", None)
    output.fail("lost")
    with output.progress() as update:
        update("ETHUSD", 0, 1)
    assert capsys.readouterr().out == ""


def test_progress_shows_on_a_terminal_and_cleans_up(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", 0.3)
    monkeypatch.setenv("TERM", "xterm")
    with output.progress() as update:
        update("\x1b[31mETH", 1, 3)
        assert terminal.drawn.wait(30)
    first, *_, last = terminal.getvalue().split("\r\x1b[K")[1:]
    assert first.startswith("\\x1b[31mETH (2 of 3) ")
    assert last == ""


def test_quick_work_shows_no_progress(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with output.progress() as update:
        update("ETHUSD", 0, 1)
    assert terminal.getvalue() == ""


def test_progress_ends_with_an_error(monkeypatch):
    monkeypatch.setattr(sys, "stderr", Terminal())
    monkeypatch.setenv("TERM", "xterm")
    before = threading.active_count()
    with pytest.raises(KeyboardInterrupt), output.progress():
        raise KeyboardInterrupt
    assert threading.active_count() == before


def test_progress_leads_with_what_there_are_several_of(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setattr(progress, "PATIENCE", 0.2)
    monkeypatch.setenv("TERM", "xterm")
    with output.progress() as update:
        update("symbols", 0, 9)
        update("symbols", 4, 9)
        update("fits of ETHUSD", 0, 1)
        assert terminal.drawn.wait(30)
    line = terminal.getvalue().split("\r\x1b[K")[1]
    assert line.startswith("symbols (5 of 9) ")
    assert " s left, fits of ETHUSD " in line


def test_progress_in_a_log_is_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "LOG_PATIENCE", 0.02)
    monkeypatch.setattr(progress, "LOG_AGAIN", 30)
    drawn = threading.Event()
    stderr = io.StringIO()
    stderr.flush = drawn.set
    monkeypatch.setattr(sys, "stderr", stderr)
    with output.progress() as update:
        update("cold", 0, 22)
        assert drawn.wait(30)
    assert re.fullmatch(r"progress: (cold \(1 of 22\) )?\d+ s\n", stderr.getvalue())


@pytest.mark.parametrize(("columns", "widths"), [("", (120, 40, 80)), ("70", (70, 70, 70))])
def test_a_width_is_that_of_the_stream_s_own_terminal(columns, widths, monkeypatch):
    def size(descriptor):
        return os.terminal_size(({1: 120, 2: 40}[descriptor], 24))

    def stream(descriptor):
        return SimpleNamespace(fileno=lambda: descriptor)

    monkeypatch.setenv("COLUMNS", columns)
    monkeypatch.setattr(os, "get_terminal_size", size)
    monkeypatch.setattr(sys, "stdout", stream(1))
    assert (output._width(), output._width(stream(2)), output._width(io.StringIO())) == widths


def test_a_wide_character_takes_two_columns(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    output.table("東京", ["Symbol", "Bars"], [["東京", "5"], ["NVDA", "12"]])
    shown = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert shown == ["東京", "Symbol  Bars", "─" * 12, "東京       5", "NVDA      12", ""]


@given(st.integers(1, 160), st.integers(1, 10**7), st.text("abc:-", min_size=1, max_size=40))
def test_progress_never_cuts_a_number(width, total, model):
    work = progress.Work(output.clean)
    work.update("symbols", 0, total + 1)
    work.update("symbols", 1, total + 1)
    work.update(f"forecasts by {model}", 0, 70)
    work.update(f"forecasts by {model}", 35, 70)
    before, line, after = str(work), work.within(width), str(work)
    assert len(line) <= width
    assert set(re.findall(r"[\d.,e+]*\d", line)) <= set(re.findall(r"[\d.,e+]*\d", before + after))
    if width >= 80:
        assert line.startswith("symbols (") and f"forecasts by {model} (36 of 70)" in line, "what runs now is shown"
