"""The report in a browser: it is quiet, says what the document says, and does what is asked of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.conftest import VIEWPORT
from tests.browser.opened_page import OpenedPage
from tests.browser.reports import HOSTILE, LONG, MANY, Report, of_many, of_models, of_one, of_saved, of_unfinished

pytestmark = pytest.mark.slow

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
SIZES = ((1280, 800), (390, 844))  # of a desk's window, and of a telephone
SCHEMES = ("light", "dark")


@pytest.fixture(scope="module")
def one(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return of_one(tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def many(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return of_many(tmp_path_factory.mktemp("many"))


@pytest.fixture
def shown(opened: Callable[..., OpenedPage]) -> Iterator[Callable[..., OpenedPage]]:
    """A function that opens a report and waits until its pictures are drawn; in the end each was quiet."""
    pages = []

    def show(report: Report, **options: Any) -> OpenedPage:
        pages.append(opened(report.file, **options))
        pages[-1].page.wait_for_selector("html[data-ready]")
        return pages[-1]

    yield show
    for page in pages:
        page.assert_quiet()


def cells(page: OpenedPage, caption: str) -> dict[str, list[str]]:
    """The rows of a table by their first cell."""
    rows = page.page.locator("table", has=page.page.locator("caption", has_text=caption)).first.locator("tbody tr")
    return {
        row[0]: row[1:] for row in rows.evaluate_all("rows => rows.map(row => [...row.cells].map(c => c.innerText))")
    }


@pytest.mark.parametrize("which", ["one", "many"])
def test_pages_are_readable_by_all_and_kept_as_pictures(
    request: pytest.FixtureRequest, shown: Callable[..., OpenedPage], which: str
) -> None:
    SCREENSHOTS.mkdir(exist_ok=True)
    page = shown(request.getfixturevalue(which))
    for scheme, (width, height) in zip(SCHEMES, SIZES, strict=True):
        page.page.emulate_media(color_scheme=scheme)
        page.page.set_viewport_size({"width": width, "height": height})
        assert page.page.evaluate("document.documentElement.scrollWidth") <= width, "it scrolls sideways"
        page.page.screenshot(path=SCREENSHOTS / f"{which}-{scheme}-{width}.png", full_page=True)
        assert page.violations(*(() if scheme == SCHEMES[0] else ("color-contrast",))) == []


def test_the_numbers_are_those_of_the_document(shown: Callable[..., OpenedPage], one: Report) -> None:
    page, symbol = shown(one), one.symbol("NVDA")
    text = page.page.inner_text("main")
    assert symbol["decision"] in page.page.inner_text("h1")
    for sentence in (symbol["verdict"], *symbol["reasons"]):
        assert sentence[1:] in text
    profit, trades = cells(page, "Profit in bps a bar"), cells(page, "Trades")
    for row in symbol["rows"]:
        shown_row = profit[row["name"]]
        assert shown_row[1] == f"{row['mean_bps']:+.1f}"
        assert shown_row[0] == ("-" if row["in_sample_bps"] is None else f"{row['in_sample_bps']:+.1f}")
        if row["low_bps"] is not None:
            assert shown_row[2] == f"{row['low_bps']:+.1f} .. {row['high_bps']:+.1f}"
        assert str(row["trades"]) in trades[row["name"]]


def test_the_equity_ends_where_the_document_does(shown: Callable[..., OpenedPage], one: Report) -> None:
    page, symbol = shown(one), one.symbol("NVDA")
    rows = {row["name"]: row for row in symbol["rows"]}
    choice = page.page.locator("[data-choice=strategy]")
    for name in choice.locator("option").all_inner_texts():
        choice.select_option(name)
        labels, values = (
            page.page.locator(f"[data-picture=equity] .u-legend >> nth=0 >> .u-{what}").all_inner_texts()
            for what in ("label", "value")
        )
        legend = dict(zip(labels, values, strict=True))
        fall = page.page.locator("[data-picture=equity] .u-legend >> nth=1").inner_text()
        assert f"at most {100 * rows[name]['max_drawdown']:.1f} %" in fall
        for label, key in (("Worst", "provable"), ("Best", "touch")):
            assert legend[label] == f"{100 * rows[name][key]:+.1f} %"
        for label in (name, f"{name} unfitted", "forecast-close", "buy-and-hold"):
            assert legend[label] == f"{100 * rows[label]['headline']:+.1f} %"


def test_hostile_names_are_text_and_do_nothing(shown: Callable[..., OpenedPage], many: Report) -> None:
    page = shown(many)
    rows = cells(page, "The better strategy of each symbol")
    assert HOSTILE.replace("\u202e\u2028", "\\u202e\\u2028") in rows
    assert LONG in rows
    assert "\u202e" not in page.page.content()
    page.page.get_by_role("link", name="S003").click()
    page.page.wait_for_selector("#symbol:not([hidden]) h1")
    assert "<b id=bold>" in page.page.inner_text("#symbol")
    assert page.page.locator("#bold, main img, main script").count() == 0
    handlers = "[...document.querySelectorAll('*')].flatMap(e => e.getAttributeNames()).filter(n => n.startsWith('on'))"
    assert page.page.evaluate(handlers) == []


def test_many_symbols_are_sorted_filtered_and_opened_by_keyboard(
    shown: Callable[..., OpenedPage], many: Report
) -> None:
    page = shown(many).page
    names = "[...document.querySelectorAll('#symbols tbody tr:not([hidden])')].map(row => row.cells[0].innerText)"
    means = {
        each["symbol"]: next(row["mean_bps"] for row in each["rows"] if row["name"] == each["strategy"])
        for each in many.document["symbols"]
        if each.get("strategy")
    }
    head = page.get_by_role("button", name="bps/bar", exact=True)
    head.press("Enter")
    rising = [name for name in page.evaluate(names) if name in means]
    assert [round(means[name], 1) for name in rising] == sorted(round(mean, 1) for mean in means.values())
    head.press("Enter")
    assert page.locator("th[aria-sort=descending]").count() == 1
    assert next(name for name in page.evaluate(names) if name in means) == max(means, key=means.__getitem__)

    page.get_by_label("Filter").fill("s00")
    assert sorted(page.evaluate(names)) == [f"S{i:03}" for i in range(min(10, MANY))]
    assert page.inner_text("#count").startswith("10 of ")

    page.get_by_role("link", name="S003").press("Enter")
    page.wait_for_selector("#symbol:not([hidden]) h1")
    assert page.inner_text("h1 >> visible=true").startswith("S003")
    assert not page.locator("#all").is_visible()
    page.go_back()
    page.wait_for_selector("#all:not([hidden])")
    assert page.get_by_label("Filter").input_value() == "s00"


def test_the_command_is_copied(shown: Callable[..., OpenedPage], one: Report) -> None:
    page = shown(one).page
    page.get_by_role("button", name="Copy").click()
    page.locator("#copied:not(:empty)").wait_for()
    assert page.inner_text("#command").startswith("marketsim backtest NVDA --sims 25 --window 30")


def test_what_a_page_says_needs_no_script(opened: Callable[..., OpenedPage], one: Report) -> None:
    page = opened(one.file, java_script_enabled=False)
    assert one.symbol("NVDA")["decision"] in page.page.inner_text("h1")
    assert "need JavaScript" in page.page.inner_text("body")


def frames(page: Any) -> None:
    """Wait until what was asked for is drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_candles_zoom_pan_and_follow_the_table(shown: Callable[..., OpenedPage], one: Report) -> None:
    page, symbol = shown(one).page, one.symbol("NVDA")
    picture, seen = page.locator("[data-picture=candles]"), []
    for button in ("All", "Zoom in", "Earlier", "All"):
        page.get_by_role("button", name=button, exact=True).click()
        frames(page)
        seen.append(picture.screenshot())
    whole, near, earlier, again = seen
    assert len({whole, near, earlier}) == 3 and again not in (near, earlier)
    picture.hover()
    page.mouse.wheel(0, -400)
    frames(page)
    assert picture.screenshot() != whole

    lines = page.locator("[data-picture=trades] tbody tr")
    lines.nth(3).click()
    page.locator("[data-picture=trades]").press("ArrowDown")
    chosen = lines.evaluate_all("lines => lines.flatMap((line, i) => line.ariaCurrent === 'true' ? [i] : [])")
    assert chosen == [4]
    cells = lines.evaluate_all("lines => lines.map(line => [line.cells[0].innerText, line.cells[3].innerText])")
    (headline,) = [row["headline"] for row in symbol["rows"] if row["name"] == symbol["strategy"]]
    assert (cells[0][0], cells[-1][0]) == (symbol["evaluated"]["first"], symbol["evaluated"]["last"])
    assert sum(float(bps) for _, bps in cells) == pytest.approx(1e4 * headline, abs=0.05 * len(cells))


def test_the_slider_shows_the_fit_of_each_window(shown: Callable[..., OpenedPage], one: Report) -> None:
    page, symbol = shown(one).page, one.symbol("NVDA")
    page.locator("[data-choice=strategy]").select_option("always-on")
    (plan,) = [each for each in symbol["plan"] if each["strategy"] == "always-on"]
    slider, picture = page.locator("[data-choice=window]"), page.locator("[data-picture=objective]")

    def told(name: str) -> str:
        return str(page.locator(f"[data-out='{name}']").inner_text())

    assert told("bar") == plan["bar"]
    assert told("h") == f"{100 * plan['high_multiplier']:+.2f} %"
    assert told("l") == f"{100 * plan['low_multiplier']:+.2f} %"
    assert told("t") == f"{plan['t']:.2f}"
    newest = picture.screenshot()
    slider.press("ArrowLeft")
    assert told("bar") == symbol["evaluated"]["last"]
    slider.press("Home")
    assert told("bar") == symbol["evaluated"]["first"] == slider.get_attribute("aria-valuetext")
    assert picture.screenshot() != newest


@pytest.mark.parametrize("make", [of_saved, of_models])
def test_saved_runs_and_comparisons_have_the_numbers_of_their_documents(
    make: Callable[[Path], Report], opened: Callable[..., OpenedPage], tmp_path: Path
) -> None:
    report = make(tmp_path)
    page = opened(report.file)
    page.page.set_viewport_size({"width": 390, "height": 844})
    assert page.page.evaluate("document.documentElement.scrollWidth") <= 390, "it scrolls sideways"
    text = page.page.inner_text("main")
    (symbol,) = report.document["symbols"]
    means = [row["mean_bps"] for row in symbol.get("rows", symbol.get("benchmarks"))]
    assert means and all(f"{mean:+.1f}" in text for mean in means)
    assert "NVDA" in page.page.locator("#command").inner_text()
    if make is of_models:  # the other page has the templates of `one`
        assert page.violations() == []
    page.assert_quiet()


def test_on_paper_nothing_is_cut_and_no_button_is_left(shown: Callable[..., OpenedPage], one: Report) -> None:
    page = shown(one).page
    page.emulate_media(media="print")
    assert not any(button.is_visible() for button in page.locator("button, .choice").all())
    cut = "all => all.filter(each => each.scrollHeight > each.clientHeight + 1).length"
    assert page.locator(".scroll").evaluate_all(cut) == 0
    assert page.pdf().startswith(b"%PDF")


def test_a_live_page_loads_itself_again_until_it_is_stopped(
    opened: Callable[..., OpenedPage], one: Report, tmp_path: Path
) -> None:
    live = of_unfinished(tmp_path)
    page = opened(live.file, viewport=VIEWPORT)  # in a page of its own: its clock stays changed
    page.page.clock.install()
    page.page.reload()
    assert "1 of 2 symbols are finished" in page.page.locator(".live").inner_text()
    live.file.write_bytes(one.file.read_bytes())
    stop = page.page.locator("#live")
    stop.click()
    page.page.clock.run_for(20_000)
    assert stop.inner_text() == "Reload every 5 seconds"  # of the old page still
    stop.click()
    page.page.clock.run_for(5_100)
    page.page.locator(".live").wait_for(state="detached")
    assert "NVDA" in page.page.inner_text("h1")
    page.assert_quiet()
