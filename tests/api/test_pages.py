"""Results as pages in Python."""

from __future__ import annotations

import sys
from html import unescape

import numpy as np

import marketsim
from marketsim.results.html.page import environment
from tests.candles import random_bars
from tests.report_pages import Page

SHORT = {"sims": 4, "window": 10}


def page_of(text, tmp_path):
    (tmp_path / "page.html").write_text(text, encoding="utf-8")
    return Page.of(tmp_path / "page.html")


def test_a_result_is_a_page(tmp_path):
    result = marketsim.backtest(random_bars(300, 1), **SHORT)
    page = page_of(result.to_html(), tmp_path)
    (parts,) = page.parts.values()
    assert parts.keys() == {"html", "rows", "objective", "charts"}
    assert result.verdict[1:] in page.read().text
    ends = [row["headline"] for row in result.document["rows"]]
    np.testing.assert_allclose(1e-8 * parts["rows"][1]["headline"].sum(1), ends, rtol=0, atol=1e-8)


def test_several_results_are_one_page(tmp_path):
    named = marketsim.backtest_many(["ETHUSD", "NVDA", "NOSUCH"], **SHORT)
    page = page_of(named.to_html(), tmp_path)
    assert all(page.parts[f"/{symbol}"].keys() == {"html", "rows", "objective", "charts"} for symbol in named)
    assert [row[0] for row in page.read().tables["The better strategy of each symbol"][1:]] == [*named, "NOSUCH"]


def test_a_notebook_frames_the_page_or_does_without(monkeypatch):
    result = marketsim.backtest(random_bars(300, 1), **SHORT)
    shown = result._repr_html_()
    before, framed = shown.split('<iframe title="marketsim report" sandbox="allow-scripts"')
    assert "<table" in before
    assert unescape(framed.partition('srcdoc="')[2].rpartition('"></iframe>')[0]) == result.to_html()
    environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    assert result._repr_html_() == before
    environment.cache_clear()
