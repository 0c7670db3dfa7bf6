"""One browser for all tests of this folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.opened_page import OpenedPage, program, switches

PATIENCE = 15_000  # milliseconds that anything on a page may take
VIEWPORT = {"width": 1280, "height": 720}  # playwright's own
DRIVERS = ("playwright", "axe_playwright_python")


@pytest.fixture(scope="package")  # its event loop would disturb other tests of this process
def browser() -> Iterator[Any]:
    """Chromium without a window, driven by playwright."""
    for module in DRIVERS:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed: it is in the extra 'dev'")
    if (chromium := program()) is None:
        pytest.skip("Chromium is not installed: no chromium on the PATH")

    from playwright.sync_api import sync_playwright

    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=chromium, args=switches()) as found,
    ):
        yield found


@pytest.fixture(scope="package")
def kept(browser: Any) -> Iterator[OpenedPage]:
    """A page for all files that need no options: a new one takes longer than what is done on it."""
    context = browser.new_context(offline=True)
    context.set_default_timeout(PATIENCE)
    yield OpenedPage(context.new_page())
    context.close()


@pytest.fixture
def opened(browser: Any, kept: OpenedPage) -> Iterator[Callable[..., OpenedPage]]:
    """A function that opens a file; with `options` of playwright's contexts, such as `color_scheme`, in a new page."""
    contexts = []

    def open_file(file: Path, **options: Any) -> OpenedPage:
        if not options:
            kept.page.set_viewport_size(VIEWPORT)
            kept.page.emulate_media(media="null", color_scheme="null")
            kept.show(file)
            return kept
        contexts.append(browser.new_context(offline=True, **options))
        contexts[-1].set_default_timeout(PATIENCE)
        page = OpenedPage(contexts[-1].new_page())
        page.show(file)
        return page

    yield open_file
    for context in contexts:
        context.close()
