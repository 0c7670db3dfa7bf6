"""`marketsim backtest --report`: what the page says is what the run found."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest

from tests.cli.test_startup import loaded
from tests.many_symbols import OPTIONS, write_universe
from tests.report_pages import Page

WALK = ("--sims", "12", "--window", "30", "--now", "2020-12-08")
HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\u202e"


def decoded(cli, tmp_path, *words):
    path = tmp_path / "report.html"
    ended = cli("backtest", *words, "--report", str(path), "--overwrite", "--json")
    return Page.of(path), json.loads(ended.out), ended


def test_a_page_of_one_symbol_says_what_the_terminal_says(cli, tmp_path):
    page, document, ended = decoded(cli, tmp_path, "ETHUSD", *WALK)
    (symbol,), read = document["symbols"], page.read()
    shown = cli("backtest", "ETHUSD", *WALK, "--full").out
    assert ended.code == 0
    assert symbol["verdict"] in read.text.replace("Always-on", "always-on")
    assert f"ETHUSD {symbol['decision']}" in " ".join(read.text.split())
    for reason in symbol["reasons"]:
        assert reason[1:] in read.text
    for title in ("Profit in bps a bar", "Sum over all bars", "Trades", "Risk, annualized", "Plan for 2020-12-08"):
        (caption,) = [each for each in read.tables if each.startswith(title)]
        assert title in shown
        for _, *cells in read.tables[caption][1:]:
            assert all(cell in shown for cell in cells), caption


def test_the_pictures_show_the_walk(cli, tmp_path):
    page, document, _ = decoded(cli, tmp_path, "ETHUSD", *WALK)
    (symbol,) = document["symbols"]
    facts, arrays = page.parts["/ETHUSD"]["rows"]
    rows = {row["name"]: row for row in symbol["rows"]}
    assert facts["names"] == list(rows)
    ends = arrays["headline"].sum(1)
    for found, key in (
        (ends, "headline"),
        (ends - arrays["below"][:, -1], "provable"),
        (ends + arrays["above"][:, -1], "touch"),
    ):
        np.testing.assert_allclose(facts["part"] * found, [row[key] for row in rows.values()], rtol=0, atol=1e-8)
    assert facts["times"][0] == symbol["evaluated"]["first"]
    assert facts["times"][-1] == symbol["evaluated"]["last"]


def test_many_symbols_have_a_row_and_a_page_each(cli, tmp_path):
    names = write_universe(tmp_path / "bars", 4)
    words = (*names, "NOSUCH", "--data", str(tmp_path / "bars"), *OPTIONS)
    page, document, ended = decoded(cli, tmp_path, *words)
    assert ended.code == 4
    rows = page.read().tables["The better strategy of each symbol"][1:]
    assert [row[0] for row in rows] == [*names, "NOSUCH"]
    assert "no bars of NOSUCH" in rows[-1][-1]
    for name, row in zip(names, rows, strict=False):
        (found,) = [each for each in document["symbols"] if each["symbol"] == name]
        assert row[1] == found["decision"]
        assert page.read(f"/{name}").tables[
            f"Profit in bps a bar, 3 bars to {found['evaluated']['last']}, provable fills"
        ]


def test_hostile_names_are_text(cli, tmp_path):
    names = write_universe(tmp_path / "bars", 1)
    words = (*names, HOSTILE, "\udcff", "x" * 300, "--data", str(tmp_path / "bars"), *OPTIONS)
    page, _, _ = decoded(cli, tmp_path, *words)
    read = page.read()
    assert HOSTILE.replace("\u202e", "\\u202e") in read.text
    assert "\\udcff" in read.text and "\u202e" not in page.source
    allowed = {"lang", "class", "id", "href", "role", "type", "aria-label", "aria-hidden", "tabindex", "scope", "rel"}
    allowed |= {"charset", "http-equiv", "content", "name", "data-address", "data-part", "placeholder", "autocomplete"}
    allowed |= {"viewbox", "preserveaspectratio", "points", "hidden", "colspan"}
    assert {name for _, attributes in read.tags for name in attributes} <= allowed
    assert "img" not in {tag for tag, _ in read.tags}


def test_a_page_runs_its_own_scripts_and_nothing_else(cli, tmp_path):
    page, _, _ = decoded(cli, tmp_path, "ETHUSD", *WALK)
    (policy,) = [attributes["content"] for tag, attributes in page.read().tags if "http-equiv" in attributes]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_the_same_run_gives_the_same_page(cli, tmp_path):
    first, _, _ = decoded(cli, tmp_path, "ETHUSD", *WALK)
    again, _, _ = decoded(cli, tmp_path, "ETHUSD", *WALK)
    assert first.parts["/ETHUSD"]["rows"][0] == again.parts["/ETHUSD"]["rows"][0]


def test_a_report_needs_its_extra_before_any_work(cli, tmp_path, monkeypatch):
    from marketsim.results.html.page import environment

    environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    ended = cli("backtest", "ETHUSD", "--report", str(tmp_path / "report.html"))
    environment.cache_clear()
    assert ended.code == 2
    assert ended.err.strip() == "marketsim: a report needs the extra 'report': pip install 'marketsim[report]'"
    assert not list(tmp_path.glob("*.html"))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--live",), "--live needs --report FILE"),
        (("--report", "report.pdf"), "must end in .html or .htm"),
        (("--report", "no/such/report.html"), "there is no folder"),
    ],
)
def test_what_cannot_be_written_is_said_at_once(cli, words, why):
    ended = cli("backtest", "ETHUSD", *words)
    assert ended.code == 2
    assert why in ended.err


def test_a_backtest_without_a_report_imports_none_of_it(tmp_path):
    wanted = ("jinja2", "marketsim.results.html", "marketsim.results.text_tables")
    assert loaded("backtest", "ETHUSD", *WALK, among=wanted) == (0, {"marketsim.results.text_tables"})


def test_a_live_page_says_how_far_the_run_has_come(cli, tmp_path, monkeypatch):
    from marketsim.results.html import report_file

    written = []
    keep = report_file.write
    monkeypatch.setattr(report_file, "write", lambda path, parts: (keep(path, parts), written.append(path.read_text())))
    monkeypatch.setattr(report_file, "PATIENCE", 0.0)
    monkeypatch.setattr(report_file, "SHARE", 0)
    names = write_universe(tmp_path / "bars", 3)
    cli("backtest", *names, "--data", str(tmp_path / "bars"), *OPTIONS, "--report", str(tmp_path / "r.html"), "--live")
    assert ["of 3 symbols are finished" in text for text in written] == [True, True, False]
    assert "1 of 3 symbols" in written[0] and "2 of 3 symbols" in written[1]
    assert "data-live" not in written[-1].split("<main")[0]


SHORT = ("--sims", "6", "--window", "20")


def test_the_page_of_a_saved_run_is_that_of_the_run(cli, tmp_path):
    folder = tmp_path / "run"
    page, _, _ = decoded(cli, tmp_path, "ETHUSD", *SHORT, "--output", str(folder))
    ended = cli("report", str(folder))
    assert (ended.code, ended.out.strip()) == (0, str(folder / "report.html"))
    saved = Page.of(folder / "report.html")
    assert saved.parts["/ETHUSD"].keys() == page.parts["/ETHUSD"].keys() == {"html", "rows", "objective", "charts"}
    for part in ("html", "rows", "objective", "charts"):
        (facts, arrays), (again, others) = page.parts["/ETHUSD"][part], saved.parts["/ETHUSD"][part]
        assert facts == again
        for name, array in arrays.items():
            np.testing.assert_array_equal(array, others[name])
    assert cli("backtest", "ETHUSD", *SHORT, "--output", str(folder), "--overwrite").code == 0


def test_what_cannot_be_made_again_is_left_out_and_said(cli, tmp_path):
    names = write_universe(tmp_path / "bars", 2)
    folder, data = tmp_path / "run", tmp_path / "bars"
    cli("backtest", *names, "--data", str(data), *OPTIONS, "--output", str(folder))
    file = data / f"{names[0]}.csv"
    first, *rest = file.read_text().splitlines()
    file.write_text("\n".join([first, rest[0].replace(rest[0].split(",")[5], "12345"), *rest[1:]]) + "\n")
    ended = cli("report", str(folder), str(tmp_path / "page.html"), "--json")
    assert ended.code == 0
    assert json.loads(ended.out)["missing"] == [
        f"no pictures of its objective, forecast and fills: {names[0]}: its bars differ from those of the run"
    ]
    page = Page.of(tmp_path / "page.html")
    assert page.parts[f"/{names[0]}"].keys() == {"html", "rows"}
    assert "its bars differ from those of the run" in page.read(f"/{names[0]}").text
    assert page.parts[f"/{names[1]}"].keys() == {"html", "rows", "objective", "charts"}


def test_bars_that_came_later_change_no_page(cli, tmp_path):
    (name,) = write_universe(tmp_path / "bars", 1)
    file = tmp_path / "bars" / f"{name}.csv"
    whole = file.read_text()
    file.write_text("\n".join(whole.splitlines()[:-2]) + "\n")
    cli("backtest", name, "--data", str(tmp_path / "bars"), *OPTIONS, "--output", str(tmp_path / "run"))
    file.write_text(whole)
    assert json.loads(cli("report", str(tmp_path / "run"), "--json").out)["missing"] == []


def test_a_damaged_run_has_no_page(cli, tmp_path):
    cli("backtest", "ETHUSD", *SHORT, "--output", str(tmp_path))
    (tmp_path / "equity.csv").write_text("symbol,name\n")
    ended = cli("report", str(tmp_path))
    assert ended.code == 3
    assert "damaged, or changed since it was written" in ended.err
    assert not (tmp_path / "report.html").exists()


def test_an_interrupted_run_goes_on_with_the_pictures_that_it_has(cli, tmp_path, monkeypatch):
    from marketsim.backtesting import worker

    names = write_universe(tmp_path / "bars", 3)
    words = (*names, "--data", str(tmp_path / "bars"), *OPTIONS, "--output", str(tmp_path / "run"))
    finish, finished = worker.finish, []

    def interrupted(*arguments):
        if len(finished) == 2:
            raise KeyboardInterrupt
        finished.append(1)
        return finish(*arguments)

    with monkeypatch.context() as patched:
        patched.setattr(worker, "finish", interrupted)
        assert cli("backtest", *words, "--report", str(tmp_path / "a.html")).code == 130
    kept = len(list((tmp_path / "run").rglob("*.part")))
    ended = cli("backtest", *words, "--report", str(tmp_path / "a.html"), "--resume")
    assert ended.code == 0
    assert "has no pictures" not in ended.err
    assert kept >= 1
    assert all("charts" in Page.of(tmp_path / "a.html").parts[f"/{name}"] for name in names)


def test_models_compared_are_a_page_with_the_numbers_of_the_terminal(cli, tmp_path):
    words = ("compare-models", "ETHUSD", "NVDA", "NOPE", "--models", "har,last-bar", *SHORT)
    path = tmp_path / "models.html"
    shown = cli(*words, "--report", str(path))
    assert shown.code == 4
    read = Page.of(path).read()
    for title in ("Pinball loss in bps", "Bars inside the 80 % band", "Profit, and that", "Alpha: profit over"):
        (caption,) = [each for each in read.tables if each.startswith(title)]
        for _, *cells in read.tables[caption]:
            assert all(cell.strip().split(" ")[0] in shown.out for cell in cells), caption
    assert "no bars of NOPE" in read.text
    document = json.loads(cli(*words, "--json").out)
    assert f"{100 * document['reality_check']['p']:.0f} % of cases" in read.text
    means = [
        row["mean_bps"]
        for symbol in document["symbols"]
        for model in symbol["models"]
        for row in model.get("strategies", [])
    ]
    assert all(f"{mean:+.1f}" in read.text for mean in means)


def test_a_comparison_without_a_report_imports_none_of_it():
    words = ("compare-models", "ETHUSD", "--models", "last-bar", *SHORT)
    assert loaded(*words, among=("jinja2", "marketsim.results.html")) == (0, set())
