"""One browser for all tests of this folder."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.browser.opened_page import OpenedPage, program, switches

PATIENCE = 15_000  # milliseconds that anything on a page may take
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


@pytest.fixture
def opened(browser: Any) -> Iterator[Callable[..., OpenedPage]]:
    """A function that opens a file; `options` are those of playwright's contexts, such as `color_scheme`."""
    contexts = []

    def open_file(file: Path, **options: Any) -> OpenedPage:
        contexts.append(browser.new_context(offline=True, **options))
        contexts[-1].set_default_timeout(PATIENCE)
        return OpenedPage(contexts[-1].new_page(), file)

    yield open_file
    for context in contexts:
        context.close()
