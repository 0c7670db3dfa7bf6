"""The tests of pages see what they are there to see."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.opened_page import OpenedPage

pytestmark = pytest.mark.slow

PAGE = '<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1>{}</main></html>'
FAULTS = """
    <script>console.error("said")</script>
    <script>undefined_name()</script>
    <script>alert("asked")</script>
    <img alt="a picture" src="http://127.0.0.1:9/a.png">
    <img src="data:,">
    <p style="color: #ccc; background: white">too pale</p>
"""


def test_faults_of_a_page_are_seen(opened: Callable[..., OpenedPage], tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE.format(FAULTS))
    page = opened(file)
    for seen in ("said", "undefined_name is not defined", "a dialog: asked"):
        assert any(seen in error for error in page.errors), seen
    assert page.requests == ["http://127.0.0.1:9/a.png"]
    assert [each.partition(":")[0] for each in page.violations()] == ["color-contrast", "image-alt"]


def test_a_page_without_faults_is_quiet(opened: Callable[..., OpenedPage], tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    file.write_text(PAGE.format('<p>all is well</p><img alt="a dot" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=">'))
    opened(file).assert_quiet()
