"""Tables at any width: numbers stay whole, and what is too narrow for columns becomes blocks."""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketsim.cli import output

NUMBERS = st.sampled_from(["-", "+1.2", "-1,234,567.89", "+0.1 .. +12.3", "[-10.1, +12.4]", "100", "2020-12-08"])
NAMES = st.sampled_from(["ETHUSD", "entry-exit unfitted", "forecast-close", "a name of several words"])
HEADERS = st.sampled_from(["Mean\nbps/bar", "Out-of-\nsample %", "Take-profit\nprobability %", "n", "95 % interval"])


def drawn(width: int, headers: list[str], rows: list[list[str]], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    monkeypatch.setenv("COLUMNS", str(width))
    with redirect_stdout(io.StringIO()) as out:
        output.table("A title", headers, rows)
    return out.getvalue().splitlines()


@given(st.data(), st.integers(40, 130), st.integers(1, 9), st.integers(1, 4))
def test_numbers_are_never_broken(data: st.DataObject, width: int, columns: int, rows: int) -> None:
    headers = ["Strategy", *(data.draw(HEADERS) for _ in range(columns))]
    table = [[data.draw(NAMES), *(data.draw(NUMBERS) for _ in range(columns))] for _ in range(rows)]
    with pytest.MonkeyPatch.context() as monkeypatch:
        lines = drawn(width, headers, table, monkeypatch)
    assert max(map(len, lines)) <= width
    text = "\n".join(lines)
    for value in {cell for row in table for cell in row[1:]}:
        assert text.count(value) >= sum(cell == value for row in table for cell in row[1:])


def test_what_is_too_narrow_for_columns_is_a_block_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [["ETHUSD", "+1.0 .. +2.0\n-3.0 .. +4.0", "+1,234.5\n-7.0"], ["always-on\nunfitted", "-1.0 .. +2.0", "+1.0"]]
    headers = ["Symbol", "Worst .. best\ncase %", "Out-of-\nsample bps"]
    assert drawn(40, headers, rows, monkeypatch)[2].startswith("Symbol")  # 40 characters are enough for these
    assert drawn(28, headers, rows, monkeypatch) == [
        "A title",
        "",
        "ETHUSD",
        "  Worst .. best case %",
        "    +1.0 .. +2.0",
        "    -3.0 .. +4.0",
        "  Out-of-sample bps",
        "    +1,234.5",
        "    -7.0",
        "",
        "always-on unfitted",
        "  Worst .. best case %",
        "    -1.0 .. +2.0",
        "  Out-of-sample bps",
        "    +1.0",
        "",
    ]


def test_lines_below_a_number_stay_in_its_block_and_a_line_with_a_name_begins_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = [["last-bar", "-23.7 %\nchance", "2.0"], ["har\nkronos", "+1.0 %\n+2.0 %", "3.0\n4.0"]]
    assert drawn(28, ["Model", "Improvement", "Milliseconds"], rows, monkeypatch)[2:] == [
        "last-bar",
        "  Improvement   -23.7 %",
        "                chance",
        "  Milliseconds  2.0",
        "",
        "har",
        "  Improvement   +1.0 %",
        "  Milliseconds  3.0",
        "kronos",
        "  Improvement   +2.0 %",
        "  Milliseconds  4.0",
        "",
    ]


def test_a_row_of_words_alone_is_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "15")
    with redirect_stdout(io.StringIO()) as out:
        output.table("A title", ("Key", "Value"), [("cache-url", "postgresql"), ("fill", "expected")], words=2)
    assert out.getvalue().split() == ["A", "title", "cache-url", "postgresql", "fill", "expected"]
